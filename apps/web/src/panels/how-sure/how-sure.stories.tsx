// How sure: calibrated, too narrow, too little to say.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { changePlan, notCalibratedPlan, youngPlan } from "../../../fixtures/plans.ts";
import { HowSure } from "./how-sure.tsx";

const meta = { component: HowSure, args: { quality: changePlan.forecast_quality } } satisfies Meta<typeof HowSure>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Calibrated: Story = {};
export const TooNarrow: Story = { args: { quality: notCalibratedPlan.forecast_quality } };
export const NotEnoughData: Story = { args: { quality: youngPlan.forecast_quality } };
export const NoBacktest: Story = { args: { quality: { ...youngPlan.forecast_quality, scores: [], origins: [], n: 0 } } };
export const Dark: Story = { globals: { scheme: "dark" } };
