// The plan page: asks for a tenant's plan and shows whatever state that is in.
import { useSyncExternalStore } from "react";
import { PlanView } from "./plan-view.tsx";
import { useReadPlan } from "./use-read-plan.ts";

export function PlanPage() {
  const asked = useSyncExternalStore(onAddress, tenantInAddress);
  const read = useReadPlan(asked);
  return <PlanView {...read} today={new Date().toISOString().slice(0, 10)} onTenant={goToTenant} />;
}

function tenantInAddress(): string | null {
  return new URLSearchParams(window.location.search).get("tenant");
}

function onAddress(changed: () => void): () => void {
  window.addEventListener("popstate", changed);
  return () => {
    window.removeEventListener("popstate", changed);
  };
}

function goToTenant(tenantId: string): void {
  window.history.pushState(null, "", `?tenant=${encodeURIComponent(tenantId)}`);
  window.dispatchEvent(new PopStateEvent("popstate"));
}
