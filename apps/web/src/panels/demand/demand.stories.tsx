// Demand: with weather above, without weather, by week, not calibrated, as a table.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { expect } from "storybook/test";
import { changePlan, noPlacesPlan } from "../../../fixtures/plans.ts";
import { Demand } from "./demand.tsx";

const meta = { component: Demand, args: { days: changePlan.demand, unit: "USD", period: changePlan.period, ribbons: [] } } satisfies Meta<typeof Demand>;
export default meta;
type Story = StoryObj<typeof meta>;

const DAY = 86_400_000;
const weekly = changePlan.demand.map((day, i) => ({
  ...day,
  date: new Date(Date.parse("2026-11-23") + (i - 42) * 7 * DAY).toISOString().slice(0, 10),
}));

export const WithWeather: Story = {
  play: async ({ canvas }) => {
    await expect(await canvas.findByRole("img", { name: /^Demand: 42 periods that happened/ })).toBeVisible();
  },
};
export const WithoutWeather: Story = { args: { days: noPlacesPlan.demand } };
export const ByWeek: Story = { args: { days: weekly } };
export const NotCalibrated: Story = { args: { ribbons: ["not_calibrated"] } };
export const ForecastAlone: Story = { args: { days: changePlan.demand.slice(42) } };
export const CountedInOrders: Story = { args: { unit: "orders" } };
export const AsTable: Story = {
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(canvas.getByRole("button", { name: "as table" }));
    await expect(canvas.getAllByRole("row")).toHaveLength(8);
  },
};
export const Dark: Story = { globals: { scheme: "dark" } };
