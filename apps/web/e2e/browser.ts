// How Chromium is started for stories and journeys: quiet, and without its sandbox only where root forbids one.

export function launchArguments(): string[] {
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return [
    ...sandbox,
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
}
