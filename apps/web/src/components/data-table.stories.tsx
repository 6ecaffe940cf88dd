// The reading alternative to a picture.
import type { Meta, StoryObj } from "@storybook/react-vite";
import { DataTable } from "./data-table.tsx";

interface Row {
  name: string;
  value: string;
}

const meta = {
  component: DataTable<Row>,
  args: {
    label: "Example",
    keyOf: (row: Row) => row.name,
    rows: [
      { name: "Boston", value: "−4.8 °C" },
      { name: "Phoenix", value: "+4.3 °C" },
    ],
    columns: [
      { title: "Place", cell: (row: Row) => row.name, words: true },
      { title: "Against normal", cell: (row: Row) => row.value },
    ],
  },
} satisfies Meta<typeof DataTable<Row>>;
export default meta;
type Story = StoryObj<typeof meta>;

export const Rows: Story = {};
export const Dark: Story = { globals: { scheme: "dark" } };
