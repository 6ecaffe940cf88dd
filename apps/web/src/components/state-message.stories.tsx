// What stands in a plan's place: nothing there yet, and a failure.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { fn } from "storybook/test";
import { StateMessage } from "./state-message.tsx";

const meta = {
  component: StateMessage,
  args: {
    tone: "empty",
    title: "There is no plan yet.",
    why: "A plan rests on sales, spend and weather by place and day.",
    remedy: "run `make demo` in the project folder.",
    onAgain: fn(),
  },
} satisfies Meta<typeof StateMessage>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Empty: Story = {};
export const Failed: Story = {
  args: { tone: "error", title: "The WeatherVane server does not answer.", remedy: "start it with `make serve`, then try again." },
};
export const WithoutCommand: Story = { args: { tone: "error", remedy: "reload the page." } };
export const Dark: Story = { globals: { scheme: "dark" } };
