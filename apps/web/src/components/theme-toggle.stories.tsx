// The button names what it will do.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { ThemeToggle } from "./theme-toggle.tsx";

const meta = { component: ThemeToggle } satisfies Meta<typeof ThemeToggle>;
export default meta;
type Story = StoryObj<typeof meta>;

export const InLight: Story = {};
export const InDark: Story = { globals: { scheme: "dark" } };
