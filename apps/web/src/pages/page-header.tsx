// The line above the page: whose plan, for which days, how fresh, and light or dark.
import { NativeSelect } from "@mantine/core";
import type { BudgetPlan, TenantSummary } from "../api/contracts.ts";
import { ThemeToggle } from "../components/theme-toggle.tsx";
import { instant, period } from "../design/format.ts";
import styles from "./page-header.module.css";

interface PageHeaderProps {
  plan: BudgetPlan | undefined;
  tenants: readonly TenantSummary[];
  tenantId: string | undefined;
  onTenant: (tenantId: string) => void;
}

export function PageHeader({ plan, tenants, tenantId, onTenant }: PageHeaderProps) {
  return (
    <header className={styles.header}>
      <p className={styles.brand}>
        <svg viewBox="0 0 24 24" aria-hidden className={styles.vane}>
          <path d="M12 2l5 10h-3.6v9h-2.8v-9H7z" transform="rotate(38 12 12)" />
        </svg>
        WeatherVane
      </p>
      <div className={styles.context}>
        {tenants.length > 1 ? (
          <NativeSelect
            aria-label="Whose plan"
            size="xs"
            value={tenantId}
            data={tenants.map((one) => ({ value: one.tenant_id, label: one.name }))}
            onChange={(event) => {
              onTenant(event.currentTarget.value);
            }}
          />
        ) : (
          plan && <span className={styles.tenant}>{plan.tenant_name}</span>
        )}
        {plan && <span>{period(plan.period.start, plan.period.end)}</span>}
        {plan && <span className={styles.fresh}>made {instant(plan.generated_at)}</span>}
      </div>
      <ThemeToggle />
    </header>
  );
}
