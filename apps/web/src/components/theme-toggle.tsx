// Light or dark: a button that names what it will do.
import { Button, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";

export function ThemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const now = useComputedColorScheme("light");
  const next = now === "dark" ? "light" : "dark";
  return (
    <Button
      variant="default"
      size="compact-sm"
      onClick={() => {
        setColorScheme(next);
      }}
    >
      {next === "dark" ? "☾ Dark" : "☀ Light"}
    </Button>
  );
}
