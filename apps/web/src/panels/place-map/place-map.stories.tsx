// Where: by weather, by change, as a table, by keyboard, without coordinates, outside the map.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { expect } from "storybook/test";
import { changePlan, keepPlan, noPlacesPlan } from "../../../fixtures/plans.ts";
import { PlaceMap } from "./place-map.tsx";

const meta = {
  component: PlaceMap,
  args: { geos: changePlan.geos, currency: "USD", unit: "USD" },
  decorators: [
    (Story) => (
      <div style={{ maxWidth: 480 }}>
        <Story />
      </div>
    ),
  ],
} satisfies Meta<typeof PlaceMap>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Weather: Story = {
  play: async ({ canvas }) => {
    await expect(await canvas.findByRole("group", { name: "Map: Temperature by place" })).toBeVisible();
  },
};
export const BudgetChange: Story = {
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(canvas.getByText("Budget change"));
    await expect(await canvas.findByRole("group", { name: "Map: Budget change by place" })).toBeVisible();
  },
};
export const ByKeyboard: Story = {
  play: async ({ canvas, userEvent }) => {
    const first = await canvas.findByRole("button", { name: /^Minneapolis/ });
    first.focus();
    await userEvent.keyboard("{ArrowRight}");
    await expect(await canvas.findByRole("button", { name: /^Chicago/ })).toHaveFocus();
    await expect(canvas.getByText(/5.9.°C colder than normal/)).toBeVisible();
  },
};
export const AsTable: Story = {
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(canvas.getByRole("button", { name: "as table" }));
    await expect(canvas.getByRole("cell", { name: "Minneapolis" })).toBeVisible();
  },
};
export const OnePlaceAlone: Story = {
  args: { geos: noPlacesPlan.geos.slice(0, 1) },
  play: async ({ canvas }) => {
    await expect(canvas.getByText(/Sales and spend come for one place/)).toBeVisible();
  },
};
export const NoForecast: Story = {
  args: { geos: changePlan.geos.map((geo) => ({ ...geo, temp_anomaly_c: null, temp_anomaly_z: null, wet_days: null })) },
  play: async ({ canvas }) => {
    await expect(canvas.getByText(/the map shows budgets alone/)).toBeVisible();
  },
};
export const NoCoordinates: Story = { args: { geos: noPlacesPlan.geos } };
export const SomeUnknown: Story = {
  args: { geos: changePlan.geos.map((geo, i) => (i % 3 === 0 ? { ...geo, temp_anomaly_c: null } : geo)) },
};
export const OutsideTheMap: Story = {
  args: { geos: changePlan.geos.map((geo) => ({ ...geo, latitude: 52.5, longitude: 13.4 })) },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText(/None of the places lies on this map/)).toBeVisible();
  },
};
export const NothingChanges: Story = { args: { geos: keepPlan.geos } };
export const Dark: Story = { globals: { scheme: "dark" } };
