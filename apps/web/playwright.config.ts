// The journeys: real headless Chromium against the real server.
import { defineConfig } from "@playwright/test";
import { launchArguments } from "./e2e/browser.ts";

export default defineConfig({
  testDir: "e2e",
  workers: 1,
  forbidOnly: true,
  timeout: 120_000,
  reporter: [["list"]],
  use: {
    launchOptions: { executablePath: process.env.CHROMIUM_PATH, args: launchArguments() },
    locale: "en-US",
    timezoneId: "America/Chicago",
    trace: "off",
  },
});
