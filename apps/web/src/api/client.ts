// The only door to the server: typed calls that return data or throw a Problem as an error.
import createClient from "openapi-fetch";
import type { BudgetPlan, Problem, TenantSummary } from "./contracts.ts";
import type { paths } from "./schema.gen.ts";

/** A failure in the server's own words: what is wrong, and what to do next. */
export class ServerProblem extends Error implements Problem {
  readonly error: string;
  readonly problem: string;
  readonly remedy: string;

  constructor({ error, problem, remedy }: Problem) {
    super(problem);
    this.error = error;
    this.problem = problem;
    this.remedy = remedy;
  }
}

const UNREACHABLE: Problem = {
  error: "Unreachable",
  problem: "The WeatherVane server does not answer.",
  remedy: "start it with `make serve`, then try again.",
};

const UNREADABLE: Problem = {
  error: "Unreadable",
  problem: "The server gave an answer this page cannot read.",
  remedy: "reload the page; if that does not help, build it again with `make serve`.",
};

const client = createClient<paths>({ baseUrl: "/" });

export function listTenants(signal?: AbortSignal): Promise<TenantSummary[]> {
  return answer(client.GET("/v1/tenants", { signal }));
}

export function getPlan(tenant: string, signal?: AbortSignal): Promise<BudgetPlan> {
  return answer(client.GET("/v1/plans/{tenant}", { params: { path: { tenant } }, signal }));
}

async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let result;
  try {
    result = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ServerProblem(error instanceof SyntaxError ? UNREADABLE : UNREACHABLE);
  }
  if (result.response.ok && result.data !== undefined) return result.data;
  throw new ServerProblem(isProblem(result.error) ? result.error : UNREADABLE);
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "problem" in value && "remedy" in value && "error" in value;
}
