// A quiet surface with a heading; cards never stand inside cards.
import { useId, type ReactNode } from "react";
import styles from "./card.module.css";

interface CardProps {
  title: string;
  /** What stands right of the heading: a switch, a ribbon. */
  aside?: ReactNode;
  children: ReactNode;
}

export function Card({ title, aside, children }: CardProps) {
  const heading = useId();
  return (
    <section className={styles.card} aria-labelledby={heading}>
      <header className={styles.header}>
        <h2 id={heading} className={styles.title}>
          {title}
        </h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
