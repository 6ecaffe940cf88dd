// The machinery, closed and opened.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { expect } from "storybook/test";
import { changePlan } from "../../../fixtures/plans.ts";
import { HowMade } from "./how-made.tsx";

const meta = { component: HowMade, args: { plan: changePlan, unit: "USD" } } satisfies Meta<typeof HowMade>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Closed: Story = {};
export const Opened: Story = {
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(canvas.getByText("How this plan was made"));
    await expect(canvas.getByText(/R-hat 1.004/)).toBeVisible();
  },
};
export const OpenedDark: Story = { ...Opened, globals: { scheme: "dark" } };
