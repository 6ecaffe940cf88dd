// What ads bring in: a signal, and none.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { changePlan, keepPlan } from "../../../fixtures/plans.ts";
import { MediaEvidence } from "./media-evidence.tsx";

const meta = {
  component: MediaEvidence,
  args: { channels: changePlan.channels, signal: changePlan.media_signal },
} satisfies Meta<typeof MediaEvidence>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Signal: Story = {};
export const NoSignal: Story = { args: { channels: keepPlan.channels, signal: keepPlan.media_signal } };
export const Dark: Story = { globals: { scheme: "dark" } };
