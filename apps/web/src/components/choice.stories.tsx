// A switch between two views.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { fn } from "storybook/test";
import { Choice } from "./choice.tsx";

const meta = {
  component: Choice<string>,
  args: {
    label: "What the places show",
    options: [
      { value: "weather", label: "Temperature" },
      { value: "change", label: "Budget change" },
    ],
    value: "weather",
    onChange: fn(),
  },
} satisfies Meta<typeof Choice<string>>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Two: Story = {};
export const Dark: Story = { globals: { scheme: "dark" } };
