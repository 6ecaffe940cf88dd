// Changes of budget: up, down and none, each with arrow, sign and colour.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { MoneyChange, MoneyText } from "./money-text.tsx";

const usd = (minor: number) => ({ minor, currency: "USD" });

const meta = { component: MoneyChange, args: { amount: usd(96_000) } } satisfies Meta<typeof MoneyChange>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Up: Story = {};
export const Down: Story = { args: { amount: usd(-224_600) } };
export const None: Story = { args: { amount: usd(0) } };
export const Amount: Story = { render: () => <MoneyText amount={usd(1_234_567)} /> };
export const Dark: Story = { args: { amount: usd(-224_600) }, globals: { scheme: "dark" } };
