// Reads the tenants and the newest plan of the one asked for, as one state the page can show.
import { useQuery } from "@tanstack/react-query";
import { ServerProblem, getPlan, listTenants } from "../api/client.ts";
import type { BudgetPlan, Problem, TenantSummary } from "../api/contracts.ts";

export type PlanState =
  | { is: "loading" }
  | { is: "no-tenant" }
  | { is: "no-plan"; tenant: TenantSummary; remedy: string }
  | { is: "failed"; problem: Problem }
  | { is: "ready"; plan: BudgetPlan };

export interface ReadPlan {
  state: PlanState;
  tenants: readonly TenantSummary[];
  tenantId: string | undefined;
  again: () => void;
}

/** `asked` is the tenant in the address, if there is one; without it the first tenant that has a plan. */
export function useReadPlan(asked: string | null): ReadPlan {
  const tenants = useQuery({ queryKey: ["tenants"], queryFn: ({ signal }) => listTenants(signal) });
  const first = tenants.data?.find((one) => one.has_plan) ?? tenants.data?.[0];
  const tenantId = asked ?? first?.tenant_id;
  const plan = useQuery({
    queryKey: ["plan", tenantId],
    queryFn: ({ signal }) => getPlan(tenantId ?? "", signal),
    enabled: tenants.isSuccess && tenantId !== undefined,
  });
  return {
    state: stateOf(tenants, plan, tenantId),
    tenants: tenants.data ?? [],
    tenantId,
    again: () => {
      void tenants.refetch();
      if (tenantId !== undefined) void plan.refetch();
    },
  };
}

interface Answer<T> {
  data: T | undefined;
  error: Error | null;
}

/** What the two answers amount to: a plan, something missing, a failure, or still waiting. */
export function stateOf(
  tenants: Answer<readonly TenantSummary[]>,
  plan: Answer<BudgetPlan>,
  tenantId: string | undefined,
): PlanState {
  if (tenants.error) return { is: "failed", problem: problemOf(tenants.error) };
  if (tenants.data === undefined) return { is: "loading" };
  if (tenantId === undefined) return { is: "no-tenant" };
  if (plan.error) {
    const problem = problemOf(plan.error);
    const tenant = tenants.data.find((one) => one.tenant_id === tenantId);
    const missing = problem.error === "NotFound" && tenant !== undefined;
    return missing ? { is: "no-plan", tenant, remedy: problem.remedy } : { is: "failed", problem };
  }
  return plan.data === undefined ? { is: "loading" } : { is: "ready", plan: plan.data };
}

function problemOf(error: Error): Problem {
  if (error instanceof ServerProblem) return error;
  return { error: error.name, problem: "The page failed in a way it did not foresee.", remedy: "reload it." };
}
