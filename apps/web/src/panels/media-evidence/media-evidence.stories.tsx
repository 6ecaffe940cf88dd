// What ads bring in: a signal, and none.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { changePlan, keepPlan } from "../../../fixtures/plans.ts";
import { MediaEvidence } from "./media-evidence.tsx";

const meta = {
  component: MediaEvidence,
  args: { channels: changePlan.channels, signal: changePlan.media_signal, model: changePlan.model },
} satisfies Meta<typeof MediaEvidence>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Signal: Story = {};
export const NoSignal: Story = {
  args: { channels: keepPlan.channels, signal: keepPlan.media_signal, model: keepPlan.model },
};
export const NotMeasured: Story = {
  args: {
    channels: changePlan.channels.map((one, i) =>
      i === 0
        ? {
            ...one,
            standing: "not_measured",
            told_from_zero: false,
            sentence: `${one.channel} is not measured: the data say no more of its return than was believed before them.`,
          }
        : one,
    ),
  },
};
export const Dark: Story = { globals: { scheme: "dark" } };
