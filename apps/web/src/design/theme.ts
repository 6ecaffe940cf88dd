// Mantine in our colours: one accent, dark enough for text on it, and the sizes of tokens.css.
import { createTheme, type MantineColorsTuple } from "@mantine/core";

const accent: MantineColorsTuple = [
  "#edf4fa",
  "#d9e7f3",
  "#b5d0e8",
  "#92c1e8",
  "#6aa3d3",
  "#4a8ac0",
  "#3878ad",
  "#2c6796",
  "#24577f",
  "#1a4264",
];

// Mantine's dark surfaces, so that its controls stand in our dark theme and not in its own grey one.
const dark: MantineColorsTuple = [
  "#e9e6df",
  "#c9ccd0",
  "#a7afba",
  "#7d8794",
  "#3b4552",
  "#313944",
  "#222932",
  "#1a2027",
  "#151a20",
  "#11151a",
];

export const theme = createTheme({
  colors: { accent, dark },
  primaryColor: "accent",
  // The lighter default fails 4.5:1 for white text.
  primaryShade: { light: 8, dark: 8 },
  fontFamily: "var(--wv-font)",
  fontFamilyMonospace: "var(--wv-mono)",
  fontSizes: { xs: "0.8125rem", sm: "0.8125rem", md: "0.9375rem", lg: "0.9375rem", xl: "1.625rem" },
  defaultRadius: 8,
  respectReducedMotion: true,
  cursorType: "pointer",
});
