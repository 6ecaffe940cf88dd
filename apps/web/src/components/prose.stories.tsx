// A sentence with a command in it, and one without.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { Prose } from "./prose.tsx";

const meta = { component: Prose, args: { text: "run `make demo`, then look again." } } satisfies Meta<typeof Prose>;
export default meta;
type Story = StoryObj<typeof meta>;

export const WithCommand: Story = {};
export const Plain: Story = { args: { text: "reload the page." } };
export const Dark: Story = { globals: { scheme: "dark" } };
