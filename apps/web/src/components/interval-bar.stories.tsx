// Estimates with zero marked: clearly up, clearly down, wide, with two ranges, and with a target.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { IntervalBar } from "./interval-bar.tsx";

const meta = {
  component: IntervalBar,
  args: { label: "Example: most likely 60, from 20 to 100", low: 20, middle: 60, high: 100, domain: [-40, 140] },
} satisfies Meta<typeof IntervalBar>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Up: Story = { args: { tone: "up" } };
export const Down: Story = { args: { tone: "down", low: -35, middle: -20, high: -5 } };
export const Wide: Story = { args: { low: -39, middle: 10, high: 139 } };
export const TwoRanges: Story = { args: { outer: { low: 0, high: 125 } } };
export const AgainstATarget: Story = { args: { domain: [0, 1], low: 0.74, middle: 0.79, high: 0.83, mark: 0.8 } };
export const NoWidth: Story = { args: { low: 0, middle: 0, high: 0 } };
export const Dark: Story = { args: { tone: "up" }, globals: { scheme: "dark" } };
