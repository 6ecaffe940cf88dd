// A sentence from the server; what stands in backticks is a command.
import styles from "./prose.module.css";

export function Prose({ text }: { text: string }) {
  return text.split("`").map((part, i) =>
    i % 2 === 1 ? (
      <code key={i} className={styles.command}>
        {part}
      </code>
    ) : (
      part
    ),
  );
}

/** The first command a sentence names, if it names one. */
export function commandIn(text: string): string | undefined {
  return text.split("`")[1];
}
