// Name and value pairs.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { Facts } from "./facts.tsx";

const meta = {
  component: Facts,
  args: { facts: [{ name: "Chance of a gain", value: "8 in 10 · likely (81 %)" }, { name: "Model", value: "lightweight" }] },
} satisfies Meta<typeof Facts>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Two: Story = {};
export const Dark: Story = { globals: { scheme: "dark" } };
