// A card with a heading, and one with something beside the heading.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { Card } from "./card.tsx";
import { Ribbons } from "./ribbons.tsx";

const meta = { component: Card, args: { title: "How sure", children: <p>The range held 79 % of the time.</p> } } satisfies Meta<typeof Card>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Plain: Story = {};
export const WithRibbon: Story = { args: { aside: <Ribbons names={["not_calibrated"]} /> } };
export const Dark: Story = { globals: { scheme: "dark" } };
