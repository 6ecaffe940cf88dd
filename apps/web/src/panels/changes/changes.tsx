// The changes: clearly up, unclear, clearly down, in each by channel; a table on a desk, cards on a phone, and why behind every line.
import { useId, useState } from "react";
import type { BudgetPlan, PlanLine } from "../../api/contracts.ts";
import { Card } from "../../components/card.tsx";
import { type Domain, IntervalBar, domainOf } from "../../components/interval-bar.tsx";
import { MoneyChange, MoneyText } from "../../components/money-text.tsx";
import { isCurrency, middle, range, share, title } from "../../design/format.ts";
import { type ChannelLines, type Group, groupLines, hasGain, sumOf } from "./group.ts";
import { Why } from "./why.tsx";
import styles from "./changes.module.css";

interface ChangesProps {
  plan: BudgetPlan;
  unit: string;
}

/** Lines of a channel that stand open: those that move the most money; what stays is a sum until asked for. */
const AT_FIRST = { clearly_up: 3, clearly_down: 3, unclear: 0, keep: 0 } as const;

export function Changes({ plan, unit }: ChangesProps) {
  const names = new Map(plan.geos.map((geo) => [geo.geo, geo.name]));
  const domain = domainOf(plan.lines.flatMap((line) => [line.gain.p10, line.gain.p90]));
  const hasGains = plan.lines.some(hasGain);
  const groups = groupLines(plan.lines, plan.currency);
  return (
    <Card title={plan.verdict === "keep" ? "The budget as it stands" : "Changes by place and channel"}>
      {/* Roles are spelled out because the phone layout takes them away with display: grid. */}
      <table className={styles.table} data-gains={hasGains} role="table" aria-label="Budget by place and channel">
        <thead role="rowgroup" className={styles.head}>
          <tr role="row">
            <th role="columnheader" className={styles.where}>
              Channel and place
            </th>
            <th role="columnheader">Now</th>
            <th role="columnheader">Planned</th>
            <th role="columnheader">Change</th>
            <th role="columnheader" className={styles.gainHead}>
              <span className={hasGains ? undefined : styles.hidden}>{isCurrency(unit) ? "Gain" : `Gain, ${unit}`}</span>
            </th>
            <th role="columnheader">
              <span className={styles.hidden}>Why</span>
            </th>
          </tr>
        </thead>
        {groups.map((group) => (
          <GroupRows key={`${group.key} ${group.meaning}`} group={group} names={names} unit={unit} domain={domain} />
        ))}
        <tfoot role="rowgroup">
          <tr role="row" className={styles.total}>
            <th role="rowheader" className={styles.where}>
              Total
            </th>
            <td role="cell" className={styles.now} data-label="Now">
              <MoneyText amount={plan.total_current} />
            </td>
            <td role="cell" className={styles.planned} data-label="Planned">
              <MoneyText amount={plan.total_recommended} />
            </td>
            <td role="cell" className={styles.change}>
              <MoneyChange amount={sumOf(plan.lines, "change", plan.currency)} />
            </td>
            <td role="cell" colSpan={2} className={styles.filler} />
          </tr>
        </tfoot>
      </table>
      {hasGains && (
        <p className={styles.note}>
          A line’s gain is what its money brings beyond what it brings on average, so a cut can gain too; together the
          lines gain what the plan gains. The bar holds 8 of 10 cases, the dashed line marks zero.
        </p>
      )}
    </Card>
  );
}

interface RowsProps {
  names: ReadonlyMap<string, string>;
  unit: string;
  domain: Domain;
}

function GroupRows({ group, ...rest }: RowsProps & { group: Group }) {
  return (
    <tbody role="rowgroup">
      <tr role="row" className={styles.group}>
        <th role="rowheader" colSpan={6} scope="rowgroup">
          <span className={styles.groupTitle}>
            {group.title} · {group.count}
          </span>
          <span className={styles.meaning}>{group.meaning}</span>
          {group.change.minor !== 0 && (
            <span className={styles.groupSum}>
              together <MoneyChange amount={group.change} />
            </span>
          )}
        </th>
      </tr>
      {group.channels.map((channel) => (
        <ChannelRows key={channel.channel} of={channel} group={group} {...rest} />
      ))}
    </tbody>
  );
}

/** A channel's sum with its largest lines below it; a single line stands for itself. */
function ChannelRows({ of, group, ...rest }: RowsProps & { of: ChannelLines; group: Group }) {
  const [all, setAll] = useState(false);
  const [only] = of.lines;
  if (of.lines.length === 1 && only !== undefined) return <LineRows line={only} alone {...rest} />;
  const atFirst = AT_FIRST[group.direction];
  // Nobody needs a button for one line more.
  const hidden = of.lines.length > atFirst + 1;
  const lines = all || !hidden ? of.lines : of.lines.slice(0, atFirst);
  return (
    <>
      <tr role="row" className={styles.sum}>
        <th role="rowheader" className={styles.where} scope="row">
          <span className={styles.name}>{title(of.channel)}</span>{" "}
          <span className={styles.beside}>{of.lines.length} places</span>
        </th>
        <Amounts {...of} />
        <td role="cell" colSpan={2} className={styles.more}>
          {hidden && (
            <button
              type="button"
              className={styles.link}
              aria-expanded={all}
              onClick={() => {
                setAll(!all);
              }}
            >
              {all ? "Show fewer" : `Show all ${String(of.lines.length)}`}
              <span className={styles.hidden}>
                {" "}
                {title(of.channel)}, {group.title.toLowerCase()}
              </span>
            </button>
          )}
        </td>
      </tr>
      {lines.map((line) => (
        <LineRows key={line.geo} line={line} {...rest} />
      ))}
    </>
  );
}

function Amounts({ current, recommended, change }: Pick<ChannelLines, "current" | "recommended" | "change">) {
  return (
    <>
      <td role="cell" className={styles.now} data-label="Now">
        <MoneyText amount={current} />
      </td>
      <td role="cell" className={styles.planned} data-label="Planned">
        <MoneyText amount={recommended} />
      </td>
      <td role="cell" className={styles.change}>
        <MoneyChange amount={change} />
        {change.minor !== 0 && current.minor !== 0 && (
          <span className={styles.rel}>{share(change.minor / current.minor, { signed: true })}</span>
        )}
      </td>
    </>
  );
}

/** A line below its channel's sum; `alone` where it is all there is of its channel. */
function LineRows({ line, alone = false, names, unit, domain }: RowsProps & { line: PlanLine; alone?: boolean }) {
  const [open, setOpen] = useState(false);
  const detail = useId();
  const place = names.get(line.geo) ?? title(line.geo);
  return (
    <>
      <tr role="row" className={styles.line} data-alone={alone} data-line={`${line.geo}/${line.channel}`}>
        <th role="rowheader" className={styles.where} scope="row">
          {alone && <span className={styles.name}>{title(line.channel)} </span>}
          <span className={alone ? styles.beside : undefined}>{place}</span>
          {!alone && <span className={styles.hidden}> {title(line.channel)}</span>}
        </th>
        <Amounts {...line} />
        <td role="cell" className={styles.gain}>
          {hasGain(line) && <Gain line={line} unit={unit} domain={domain} />}
        </td>
        <td role="cell" className={styles.why}>
          <button
            type="button"
            className={styles.link}
            aria-expanded={open}
            aria-controls={detail}
            onClick={() => {
              setOpen(!open);
            }}
          >
            {open ? "less" : "why"}
            <span className={styles.hidden}>
              {" "}
              {place}, {title(line.channel)}
            </span>
          </button>
        </td>
      </tr>
      <tr role="row" className={styles.detail} id={detail} hidden={!open}>
        <td role="cell" colSpan={6}>
          <Why line={line} unit={unit} />
        </td>
      </tr>
    </>
  );
}

function Gain({ line, unit, domain }: { line: PlanLine; unit: string; domain: Domain }) {
  const most = middle(line.gain, isCurrency(unit) ? unit : "", { signed: true });
  return (
    <div className={styles.estimate}>
      <span>{most}</span>
      <IntervalBar
        label={`Gain most likely ${most}, ${range(line.gain, unit, { signed: true })}`}
        low={line.gain.p10}
        middle={line.gain.p50}
        high={line.gain.p90}
        domain={domain}
        tone={line.direction === "unclear" ? "neutral" : line.gain.p50 < 0 ? "down" : "up"}
      />
    </div>
  );
}
