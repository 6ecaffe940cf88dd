// What ads bring in: per channel the return with its range and zero marked, and the placebo test over all of them.
import type { ChannelEvidence, MediaSignal, ModelSummary } from "../../api/contracts.ts";
import { Card } from "../../components/card.tsx";
import { type Domain, IntervalBar, domainOf } from "../../components/interval-bar.tsx";
import { MoneyText } from "../../components/money-text.tsx";
import { Ribbons } from "../../components/ribbons.tsx";
import { count, decimal, ratios, title } from "../../design/format.ts";
import styles from "./media-evidence.module.css";

interface MediaEvidenceProps {
  channels: readonly ChannelEvidence[];
  signal: MediaSignal;
  model: ModelSummary;
}

export function MediaEvidence({ channels, signal, model }: MediaEvidenceProps) {
  const known = channels.filter((one) => one.standing !== "not_measured");
  const domain = domainOf(known.flatMap((one) => [one.roi_p05, one.roi_p95]));
  return (
    <Card title="What ads bring in" aside={!signal.told_from_zero && <Ribbons names={["no_media_signal"]} />}>
      {model.unseen_sentence && <p>{model.unseen_sentence}</p>}
      <p>{signal.sentence}</p>
      <p className={styles.note}>
        Placebo test: p = {decimal(signal.p_value, 3)} over {count(signal.n_placebos)} placebos.
      </p>
      <ul className={styles.channels}>
        {channels.map((channel) => (
          <Channel key={channel.channel} evidence={channel} domain={domain} signal={signal.told_from_zero} />
        ))}
      </ul>
      <p className={styles.note}>
        What one unit of spend brought on average over the whole history; what the next one brings stands with each
        change. Dark: 8 in 10 cases; light: 9 in 10; dashed: nothing.
      </p>
    </Card>
  );
}

/** One channel; where no channel has a signal the card has said so, and none repeats it. */
function Channel({ evidence, domain, signal }: { evidence: ChannelEvidence; domain: Domain; signal: boolean }) {
  const { roi, roi_p05, roi_p95, told_from_zero, standing } = evidence;
  const [middle = "", p10 = "", p90 = "", p05 = "", p95 = ""] = ratios(roi.p50, roi.p10, roi.p90, roi_p05, roi_p95);
  const measured = standing !== "not_measured";
  const words = measured ? `${middle} on average (from ${p10} to ${p90})` : "not measured";
  return (
    <li>
      <p className={styles.head}>
        <span>
          <strong>{title(evidence.channel)}</strong>{" "}
          <span className={styles.spend}>
            <MoneyText amount={evidence.weekly_spend} /> a week
          </span>
        </span>
        <span className={styles.roi}>{words}</span>
      </p>
      {measured && (
        <IntervalBar
          label={`Return of ${title(evidence.channel)}: ${words}; 9 in 10 from ${p05} to ${p95}`}
          low={roi.p10}
          middle={roi.p50}
          high={roi.p90}
          outer={{ low: roi_p05, high: roi_p95 }}
          domain={domain}
          tone={told_from_zero && signal ? "up" : "neutral"}
        />
      )}
      {standing !== "measured" && <p className={styles.note}>{evidence.sentence}</p>}
      {signal && measured && !told_from_zero && <p className={styles.note}>This may as well be nothing.</p>}
    </li>
  );
}
