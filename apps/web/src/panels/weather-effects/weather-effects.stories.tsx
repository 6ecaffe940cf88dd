// What the weather does: effects, and weather that is not modelled.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { expect } from "storybook/test";
import { changePlan } from "../../../fixtures/plans.ts";
import { WeatherEffects } from "./weather-effects.tsx";

const meta = { component: WeatherEffects, args: { effects: changePlan.weather_effects } } satisfies Meta<typeof WeatherEffects>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Effects: Story = {};
export const ManyCategories: Story = {
  args: {
    effects: ["Coats", "Boots", "Hats", "Gloves", "Scarves", "Umbrellas", "Jackets"].map((category, i) => {
      const size = (i - 3) / 50;
      return { category, index: "cold", unit: "one local standard deviation colder", rel_p05: size - 0.03, rel_p50: size, rel_p95: size + 0.03 };
    }),
  },
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(canvas.getByText("2 more"));
    for (const bar of canvas.getAllByRole("img")) await expect(bar).toBeVisible();
    await expect(canvas.getAllByRole("img")).toHaveLength(7);
  },
};
export const NotModelled: Story = { args: { effects: [] } };
export const Dark: Story = { globals: { scheme: "dark" } };
