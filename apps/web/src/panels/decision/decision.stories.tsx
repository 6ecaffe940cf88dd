// The decision: a change, no change, a wide range, out of date, no weather, an outcome that is no money.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { changePlan, keepPlan, noPlacesPlan, notCalibratedPlan, widePlan } from "../../../fixtures/plans.ts";
import { Decision } from "./decision.tsx";

const meta = { component: Decision, args: { plan: changePlan, unit: "USD", stale: false } } satisfies Meta<typeof Decision>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Change: Story = {};
export const Keep: Story = { args: { plan: keepPlan } };
export const WideInterval: Story = { args: { plan: widePlan } };
export const NotCalibrated: Story = { args: { plan: notCalibratedPlan } };
export const NoWeatherForecast: Story = { args: { plan: noPlacesPlan } };
export const OutOfDate: Story = { args: { plan: noPlacesPlan, stale: true } };
export const CountedInOrders: Story = { args: { unit: "orders" } };
export const ManyCaveats: Story = {
  args: { plan: { ...changePlan, caveats: [...changePlan.caveats, "A third caveat.", "A fourth one.", "And a fifth."] } },
};
export const Dark: Story = { globals: { scheme: "dark" } };
