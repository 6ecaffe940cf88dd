// What ads bring in: per channel the return with its range and zero marked, and the placebo test over all of them.
import type { ChannelEvidence, MediaSignal } from "../../api/contracts.ts";
import { Card } from "../../components/card.tsx";
import { type Domain, IntervalBar, domainOf } from "../../components/interval-bar.tsx";
import { MoneyText } from "../../components/money-text.tsx";
import { Ribbons } from "../../components/ribbons.tsx";
import { count, decimal, ratio, title } from "../../design/format.ts";
import styles from "./media-evidence.module.css";

interface MediaEvidenceProps {
  channels: readonly ChannelEvidence[];
  signal: MediaSignal;
}

export function MediaEvidence({ channels, signal }: MediaEvidenceProps) {
  const domain = domainOf(channels.flatMap((one) => [one.roi_p05, one.roi_p95]));
  return (
    <Card title="What ads bring in" aside={!signal.told_from_zero && <Ribbons names={["no_media_signal"]} />}>
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
        What one unit of spend brings in. Dark: 8 in 10 cases; light: 9 in 10; dashed: nothing.
      </p>
    </Card>
  );
}

/** One channel; where no channel has a signal the card has said so, and none repeats it. */
function Channel({ evidence, domain, signal }: { evidence: ChannelEvidence; domain: Domain; signal: boolean }) {
  const { roi, roi_p05, roi_p95, told_from_zero } = evidence;
  const words = `${ratio(roi.p50)} (from ${ratio(roi.p10)} to ${ratio(roi.p90)})`;
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
      <IntervalBar
        label={`Return of ${title(evidence.channel)}: ${words}; 9 in 10 from ${ratio(roi_p05)} to ${ratio(roi_p95)}`}
        low={roi.p10}
        middle={roi.p50}
        high={roi.p90}
        outer={{ low: roi_p05, high: roi_p95 }}
        domain={domain}
        tone={told_from_zero && signal ? "up" : "neutral"}
      />
      {signal && !told_from_zero && <p className={styles.note}>Cannot be told from zero yet.</p>}
    </li>
  );
}
