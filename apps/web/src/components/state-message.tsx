// What stands where a plan would: what is missing, why it matters, and the one button that helps.
import { Button } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Prose, commandIn } from "./prose.tsx";
import styles from "./state-message.module.css";

interface StateMessageProps {
  tone: "empty" | "error";
  title: string;
  why: string;
  /** What to do next; a command stands in backticks. */
  remedy: string;
  onAgain: () => void;
}

export function StateMessage({ tone, title, why, remedy, onAgain }: StateMessageProps) {
  const command = commandIn(remedy);
  const clipboard = useClipboard({ timeout: 2000 });
  return (
    <section className={styles.message} role={tone === "error" ? "alert" : undefined}>
      <h1 className={styles.title}>{title}</h1>
      <p className={styles.why}>{why}</p>
      <p>
        <strong>Next:</strong> <Prose text={remedy} />
      </p>
      <div className={styles.actions}>
        <Button onClick={onAgain}>{tone === "error" ? "Try again" : "Look again"}</Button>
        {command !== undefined && (
          <Button
            variant="default"
            onClick={() => {
              clipboard.copy(command);
            }}
          >
            {clipboard.copied ? "Copied" : "Copy the command"}
          </Button>
        )}
      </div>
    </section>
  );
}
