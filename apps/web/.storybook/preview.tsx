// Every story stands in the app's own theme, light or dark by the toolbar, and fails on an axe violation.
import type { Preview } from "@storybook/react-vite";
import { Design } from "../src/design/design.tsx";

const preview: Preview = {
  parameters: { a11y: { test: "error" }, layout: "padded", controls: { disable: true } },
  globalTypes: {
    scheme: {
      toolbar: { title: "Theme", items: ["light", "dark"], dynamicTitle: true },
    },
  },
  initialGlobals: { scheme: "light" },
  decorators: [
    (Story, context) => (
      <Design forceScheme={context.globals.scheme === "dark" ? "dark" : "light"}>
        <Story />
      </Design>
    ),
  ],
};

export default preview;
