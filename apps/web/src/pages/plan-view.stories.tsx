// The whole page in every state it can be in.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { fn } from "storybook/test";
import { changePlan, keepPlan, noPlacesPlan, notCalibratedPlan, tenants, widePlan } from "../../fixtures/plans.ts";
import { PlanView } from "./plan-view.tsx";

const meta = {
  component: PlanView,
  parameters: { layout: "fullscreen" },
  args: {
    state: { is: "ready", plan: changePlan },
    tenants,
    tenantId: "demo",
    today: "2026-11-22",
    again: fn(),
    onTenant: fn(),
  },
} satisfies Meta<typeof PlanView>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Change: Story = {};
export const Keep: Story = { args: { state: { is: "ready", plan: keepPlan } } };
export const WideInterval: Story = { args: { state: { is: "ready", plan: widePlan } } };
export const NotCalibrated: Story = { args: { state: { is: "ready", plan: notCalibratedPlan } } };
export const NoPlacesAndOutOfDate: Story = { args: { state: { is: "ready", plan: noPlacesPlan }, today: "2026-12-24" } };
export const Loading: Story = { args: { state: { is: "loading" } } };
export const NoTenant: Story = { args: { state: { is: "no-tenant" }, tenants: [], tenantId: undefined } };
export const NoPlan: Story = {
  args: {
    state: {
      is: "no-plan",
      tenant: { tenant_id: "retailer", name: "The retailer", demo: false, has_plan: false, plan_as_of: null },
      remedy: "run `weathervane plan`.",
    },
  },
};
export const ServerDown: Story = {
  args: {
    tenants: [],
    tenantId: undefined,
    state: {
      is: "failed",
      problem: {
        error: "Unreachable",
        problem: "The WeatherVane server does not answer.",
        remedy: "start it with `make serve`, then try again.",
      },
    },
  },
};
export const ChangeDark: Story = { globals: { scheme: "dark" } };
export const KeepDark: Story = { ...Keep, globals: { scheme: "dark" } };
export const ServerDownDark: Story = { ...ServerDown, globals: { scheme: "dark" } };
