// The real server on a state folder with a plan: the one given, or that of a quick demo, fitted for the journey.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { test as base } from "@playwright/test";

const repository = path.resolve(import.meta.dirname, "../../..");
const binaries = path.join(repository, ".venv", "bin");
// One command has to start a server that has not to compute anything; a busy machine may still take its time.
const START_WITHIN_MS = 60_000;
// A quick demo fits a model of six places in half a minute; two busy cores may need a few times that.
const DEMO_WITHIN_MS = 300_000;

interface Server {
  /** The address the server says it listens on, ending in a slash. */
  url: string;
  state: string;
}

export const test = base.extend<object, { server: Server }>({
  server: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the names of the fixtures from this pattern
    async ({}, use) => {
      const given = process.env.WEATHERVANE_STATE;
      const state = given === undefined ? demoState() : path.resolve(given);
      const { url, stop } = await startServer(state);
      await use({ url, state });
      await stop();
      if (given === undefined) rmSync(state, { recursive: true });
    },
    { scope: "worker", timeout: DEMO_WITHIN_MS + START_WITHIN_MS },
  ],
});

/** The server as a user starts it, on any free port. */
export async function startServer(state: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = spawn(path.join(binaries, "weathervane"), ["serve", "--port", "0"], {
    cwd: repository,
    env: { ...environment(), WEATHERVANE_STATE: state },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(server, "exit");
  const stop = async () => {
    server.kill("SIGINT");
    await ended;
  };
  return { url: await address(server), stop };
}

function demoState(): string {
  const state = mkdtempSync(path.join(tmpdir(), "weathervane-e2e-"));
  const asked = ["--state", state, "demo", "run", "--quick"];
  execFileSync(path.join(binaries, "weathervane"), asked, {
    cwd: repository,
    env: environment(),
    stdio: "pipe", // what it says is shown only if it fails
    timeout: DEMO_WITHIN_MS,
  });
  return state;
}

/** Ours without the settings of the product, so neither a database nor a demo asked for elsewhere, and without colours. */
function environment(): NodeJS.ProcessEnv {
  const settings = /^(WEATHERVANE_|DEMO_|DATABASE_URL$|FORCE_COLOR$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !settings.test(name)));
}

async function address(server: ChildProcess): Promise<string> {
  if (server.stdout === null) throw new Error("the server has no output");
  for await (const line of createInterface(server.stdout)) {
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(line)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error("the server stopped before it said where it listens");
}
