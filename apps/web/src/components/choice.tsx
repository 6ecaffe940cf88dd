// A small switch between views of the same thing.
import { SegmentedControl } from "@mantine/core";

interface ChoiceProps<Value extends string> {
  label: string;
  options: readonly { value: Value; label: string }[];
  value: Value;
  onChange: (value: Value) => void;
}

export function Choice<Value extends string>({ label, options, value, onChange }: ChoiceProps<Value>) {
  return (
    <SegmentedControl
      aria-label={label}
      size="xs"
      data={[...options]}
      value={value}
      onChange={(chosen) => {
        onChange(chosen);
      }}
      transitionDuration={120}
    />
  );
}
