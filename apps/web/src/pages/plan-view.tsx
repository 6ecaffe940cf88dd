// The plan page in each of its states: waiting, nothing there yet, failed, or a plan.
import { Skeleton } from "@mantine/core";
import type { BudgetPlan, TenantSummary } from "../api/contracts.ts";
import { StateMessage } from "../components/state-message.tsx";
import { Changes } from "../panels/changes/changes.tsx";
import { Decision } from "../panels/decision/decision.tsx";
import { Demand } from "../panels/demand/demand.tsx";
import { HowMade } from "../panels/how-made/how-made.tsx";
import { HowSure } from "../panels/how-sure/how-sure.tsx";
import { MediaEvidence } from "../panels/media-evidence/media-evidence.tsx";
import { PlaceMap } from "../panels/place-map/place-map.tsx";
import { WeatherEffects } from "../panels/weather-effects/weather-effects.tsx";
import { PageHeader } from "./page-header.tsx";
import type { PlanState } from "./use-read-plan.ts";
import styles from "./plan-view.module.css";

interface PlanViewProps {
  state: PlanState;
  tenants: readonly TenantSummary[];
  tenantId: string | undefined;
  /** The reader's day, as YYYY-MM-DD: a plan whose last day has passed says so. */
  today: string;
  again: () => void;
  onTenant: (tenantId: string) => void;
}

export function PlanView({ state, tenants, tenantId, today, again, onTenant }: PlanViewProps) {
  const plan = state.is === "ready" ? state.plan : undefined;
  return (
    <div className={styles.page}>
      <PageHeader plan={plan} tenants={tenants} tenantId={tenantId} onTenant={onTenant} />
      <main className={styles.main} aria-busy={state.is === "loading"}>
        <Shown state={state} today={today} again={again} />
      </main>
    </div>
  );
}

function Shown({ state, today, again }: Pick<PlanViewProps, "state" | "today" | "again">) {
  switch (state.is) {
    case "loading":
      return <Waiting />;
    case "no-tenant":
      return (
        <StateMessage
          tone="empty"
          title="There is no plan yet, because there is no data yet."
          why="A plan rests on your sales, your ad spend and the weather by place and day. The demo generates all three for an invented shop, so that you can see what a plan looks like in a few minutes."
          remedy="run `make demo` in the project folder, or `weathervane import MAPPING.yaml` for your own files."
          onAgain={again}
        />
      );
    case "no-plan":
      return (
        <StateMessage
          tone="empty"
          title={`${state.tenant.name} has no plan yet.`}
          why="Its data is here; what is missing is a model fitted to it and a forecast of the coming days."
          remedy={state.remedy}
          onAgain={again}
        />
      );
    case "failed":
      return (
        <StateMessage
          tone="error"
          title={state.problem.problem}
          why="Nothing is lost: plans are kept in the state folder and shown again as soon as this is mended."
          remedy={state.problem.remedy}
          onAgain={again}
        />
      );
    case "ready":
      return <Ready plan={state.plan} today={today} />;
  }
}

function Ready({ plan, today }: { plan: BudgetPlan; today: string }) {
  const unit = plan.outcome_is_money ? plan.currency : plan.outcome.replaceAll("_", " ");
  // A demo's calendar is as invented as its numbers, so its days never pass.
  const stale = !plan.demo && today > plan.valid_until;
  const demandRibbons = plan.ribbons.filter((name) => name === "not_calibrated");
  const map = <PlaceMap geos={plan.geos} currency={plan.currency} unit={unit} />;
  const media = <MediaEvidence channels={plan.channels} signal={plan.media_signal} model={plan.model} />;
  const changes = <Changes plan={plan} unit={unit} />;
  const sure = <HowSure quality={plan.forecast_quality} />;
  const isChange = plan.verdict === "change";
  return (
    <>
      <Decision plan={plan} unit={unit} stale={stale} />
      <div className={styles.where}>
        <div className={styles.side}>
          {map}
          <WeatherEffects effects={plan.weather_effects} />
        </div>
        {isChange ? (
          changes
        ) : (
          <div className={styles.stack}>
            {media}
            {sure}
          </div>
        )}
      </div>
      <Demand days={plan.demand} unit={unit} period={plan.period} ribbons={demandRibbons} />
      {isChange ? (
        <div className={styles.evidence}>
          {media}
          {sure}
        </div>
      ) : (
        changes
      )}
      <HowMade plan={plan} unit={unit} />
    </>
  );
}

function Waiting() {
  return (
    <>
      <p className={styles.waiting} role="status">
        Reading the plan
      </p>
      <Skeleton height={280} radius={12} />
      <div className={styles.where}>
        <Skeleton height={420} radius={12} />
        <Skeleton height={420} radius={12} />
      </div>
      <Skeleton height={380} radius={12} />
    </>
  );
}
