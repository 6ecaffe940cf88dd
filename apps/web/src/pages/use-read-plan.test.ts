// What the two answers of the server amount to.
import { describe, expect, it } from "vitest";
import { changePlan, tenants } from "../../fixtures/plans.ts";
import { ServerProblem } from "../api/client.ts";
import { stateOf } from "./use-read-plan.ts";

const waiting = { data: undefined, error: null };
const known = { data: tenants, error: null };
const failed = (error: string) => ({
  data: undefined,
  error: new ServerProblem({ error, problem: "It is broken.", remedy: "run `weathervane plan`." }),
});

describe("the state of the page", () => {
  it("waits for the tenants, then for the plan", () => {
    expect(stateOf(waiting, waiting, undefined)).toEqual({ is: "loading" });
    expect(stateOf(known, waiting, "demo")).toEqual({ is: "loading" });
  });

  it("is a plan when there is one", () => {
    expect(stateOf(known, { data: changePlan, error: null }, "demo")).toEqual({ is: "ready", plan: changePlan });
  });

  it("teaches where there is no tenant, and where a tenant has no plan", () => {
    expect(stateOf({ data: [], error: null }, waiting, undefined)).toEqual({ is: "no-tenant" });
    expect(stateOf(known, failed("NotFound"), "retailer")).toMatchObject({ is: "no-plan", remedy: "run `weathervane plan`." });
  });

  it("says what failed: the tenants, the plan, or a tenant nobody knows", () => {
    expect(stateOf(failed("Unreachable"), waiting, undefined)).toMatchObject({ is: "failed" });
    expect(stateOf(known, failed("StateUnusable"), "demo")).toMatchObject({ is: "failed", problem: { problem: "It is broken." } });
    expect(stateOf(known, failed("NotFound"), "nobody")).toMatchObject({ is: "failed" });
  });

  it("does not show a stranger's error message", () => {
    const state = stateOf({ data: undefined, error: new Error("secret detail") }, waiting, undefined);
    expect(JSON.stringify(state)).not.toContain("secret");
  });
});
