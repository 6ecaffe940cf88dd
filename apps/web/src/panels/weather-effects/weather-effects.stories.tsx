// What the weather does: effects, and weather that is not modelled.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { changePlan } from "../../../fixtures/plans.ts";
import { WeatherEffects } from "./weather-effects.tsx";

const meta = { component: WeatherEffects, args: { effects: changePlan.weather_effects } } satisfies Meta<typeof WeatherEffects>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Effects: Story = {};
export const NotModelled: Story = { args: { effects: [] } };
export const Dark: Story = { globals: { scheme: "dark" } };
