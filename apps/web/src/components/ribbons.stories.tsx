// Every ribbon, with and without its meaning.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { Ribbons } from "./ribbons.tsx";

const meta = {
  component: Ribbons,
  args: { names: ["demo", "not_calibrated", "no_media_signal", "no_weather_forecast", "extrapolates", "stale"], explain: true },
} satisfies Meta<typeof Ribbons>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Explained: Story = {};
export const LabelsAlone: Story = { args: { explain: false } };
export const None: Story = { args: { names: [] } };
export const Dark: Story = { globals: { scheme: "dark" } };
