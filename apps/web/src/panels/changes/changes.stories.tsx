// The changes: in groups, with why opened, all lines shown, nothing changed, beyond what was observed.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { expect } from "storybook/test";
import { changePlan, keepPlan, widePlan } from "../../../fixtures/plans.ts";
import { Changes } from "./changes.tsx";

const meta = { component: Changes, args: { plan: changePlan, unit: "USD" } } satisfies Meta<typeof Changes>;
export default meta;
type Story = StoryObj<typeof meta>;

type Played = Parameters<NonNullable<Story["play"]>>[0];

async function showAll(canvas: Played["canvas"], user: Played["userEvent"]) {
  for (const button of canvas.getAllByRole("button", { name: /^Show all/ })) await user.click(button);
}

export const InGroups: Story = {};
export const WhyOpened: Story = {
  play: async ({ canvas, userEvent }) => {
    const why = canvas.getByRole("button", { name: /^why.*Minneapolis, Social/ });
    await userEvent.click(why);
    await expect(canvas.getByText(/It turns cold in Minneapolis/)).toBeVisible();
    await expect(why).toHaveAttribute("aria-expanded", "true");
  },
};
export const AllLines: Story = {
  play: async ({ canvas, userEvent }) => {
    await showAll(canvas, userEvent);
    await expect(canvas.getAllByRole("button", { name: /^why/ })).toHaveLength(changePlan.lines.length);
  },
};
export const NothingChanges: Story = {
  args: { plan: keepPlan },
  play: async ({ canvas, userEvent }) => {
    await showAll(canvas, userEvent);
    await expect(canvas.getAllByText("Boston")).toHaveLength(3);
  },
};
export const BeyondWhatWasObserved: Story = {
  args: { plan: widePlan },
  play: async ({ canvas, userEvent }) => {
    for (const why of canvas.getAllByRole("button", { name: /^why/ })) await userEvent.click(why);
    await expect(canvas.getAllByText("Beyond what was observed").length).toBeGreaterThan(0);
  },
};
export const Dark: Story = { globals: { scheme: "dark" } };
