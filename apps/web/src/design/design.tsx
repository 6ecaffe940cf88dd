// The theme around everything: system preference first, the reader's own choice kept in this browser.
import "@mantine/core/styles/baseline.css";
import "@mantine/core/styles/default-css-variables.css";
import "@mantine/core/styles/global.css";
import "@mantine/core/styles/UnstyledButton.css";
import "@mantine/core/styles/Button.css";
import "@mantine/core/styles/Input.css";
import "@mantine/core/styles/Loader.css";
import "@mantine/core/styles/SegmentedControl.css";
import "@mantine/core/styles/FloatingIndicator.css";
import "@mantine/core/styles/Skeleton.css";
import "./tokens.css";
import { MantineProvider, localStorageColorSchemeManager } from "@mantine/core";
import type { ReactNode } from "react";
import { theme } from "./theme.ts";

// The same key as public/color-scheme.js, which sets the theme before the first paint.
const schemes = localStorageColorSchemeManager({ key: "weathervane-theme" });

export function Design({ children, forceScheme }: { children: ReactNode; forceScheme?: "light" | "dark" }) {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      colorSchemeManager={schemes}
      {...(forceScheme ? { forceColorScheme: forceScheme } : {})}
    >
      {children}
    </MantineProvider>
  );
}
