// How the app is built and its tests are run: unit tests in jsdom, stories in a real browser.
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { storybookTest } from "@storybook/addon-vitest/vitest-plugin";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { launchArguments } from "./e2e/browser.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [react()],
  build: { target: "es2022", chunkSizeWarningLimit: 600 },
  server: { proxy: { "/v1": "http://127.0.0.1:8787" } },
  test: {
    projects: [
      {
        extends: true,
        test: { name: "unit", environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
      },
      {
        extends: true,
        plugins: [storybookTest({ configDir: here(".storybook") })],
        test: {
          name: "storybook",
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { executablePath: process.env.CHROMIUM_PATH, args: launchArguments() },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
});
