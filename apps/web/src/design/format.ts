// Every number, date and range on the screen is written here, by the rules of contracts/figures.py; nothing else formats.
import type { Money, Quantiles } from "../api/contracts.ts";

const MINUS = "−";
const NO_BREAK = "\u00a0";

/** ISO 4217 minor digits where they are not two; the same table as contracts/money.py (a test compares them). */
export const MINOR_DIGITS: Readonly<Record<string, number>> = {
  JPY: 0,
  KRW: 0,
  CLP: 0,
  VND: 0,
  ISK: 0,
  KWD: 3,
  BHD: 3,
  JOD: 3,
  OMR: 3,
  TND: 3,
};
const SYMBOLS: Readonly<Record<string, string>> = { USD: "$", EUR: "€", GBP: "£" };

interface Signed {
  signed?: boolean;
}

/** The amount in major units, for scales and for a machine to read. */
export function major(money: Money): number {
  return money.minor / 10 ** (MINOR_DIGITS[money.currency] ?? 2);
}

/** The power of ten that a range of this width deserves: a twentieth of it, rounded down. 147,000 gives 1,000. */
export function stepOf(width: number): number {
  return width > 0 ? 10 ** Math.floor(Math.log10(width / 20)) : 1;
}

/** The value rounded to `step`, a power of ten, with its unit (a currency code or a word): "+$61k", "−1,200 orders". */
export function amount(value: number, unit: string, step: number, options: Signed = {}): string {
  const rounded = roundHalfEven(value / step) * step;
  const size = Math.abs(rounded);
  const places = Math.round(Math.log10(step));
  let digits = plain(size, Math.max(0, -places));
  if (step >= 1e6 || (size >= 1e6 && step >= 1e3)) digits = `${plain(size / 1e6, Math.max(0, 6 - places))}M`;
  else if ((step >= 1e3 && size >= 1e3) || (size >= 1e4 && step >= 100))
    digits = `${plain(size / 1e3, Math.max(0, 3 - places))}k`;
  return withUnit(signOf(rounded, options), digits, unit);
}

/** An amount in whole major units, as a table shows it: "$42,310". */
export function wholeMoney(money: Money, options: Signed = {}): string {
  const rounded = roundHalfEven(major(money));
  return withUnit(signOf(rounded, options), plain(Math.abs(rounded), 0), money.currency);
}

/** The middle of an interval at the precision the interval deserves: "+$61k". */
export function middle(interval: Quantiles, unit: string, options: Signed = {}): string {
  return amount(interval.p50, unit, stepOf(interval.p90 - interval.p10), options);
}

/** The ends of an interval at its precision: "from −$9k to +$138k". What is counted is named with the middle, not here. */
export function range(interval: Quantiles, unit: string, options: Signed = {}): string {
  const step = stepOf(interval.p90 - interval.p10);
  const ends = isCurrency(unit) ? unit : "";
  return `from ${amount(interval.p10, ends, step, options)} to ${amount(interval.p90, ends, step, options)}`;
}

/** A return, or another ratio, with two decimals; below a tenth with two significant digits: "0.42", "0.0058". */
export function ratio(value: number): string {
  return ratios(value)[0] ?? "";
}

/** A return and its bounds at one precision, that of the largest: "0.0058", "0.0041", "0.0079". */
export function ratios(...values: readonly number[]): string[] {
  const digits = -Math.round(Math.log10(ratioStep(values)));
  return values.map((value) => {
    const text = plain(Math.abs(value), digits);
    return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
  });
}

const SMALLEST_RATIO = 1e-6; // what is nearer to zero is zero to a reader

/** The power of ten that returns of this size are written to: 0.01, or the second digit of the largest below 0.1. */
function ratioStep(values: readonly number[]): number {
  const largest = Math.max(...values.map(Math.abs));
  if (largest < SMALLEST_RATIO || largest >= 0.0995) return 0.01;
  return 10 ** (Math.floor(Math.log10(Number(largest.toExponential(1)))) - 1);
}

/** A number without a unit, with so many decimals. */
export function decimal(value: number, digits: number, options: Signed = {}): string {
  const rounded = Number(value.toFixed(digits));
  return signOf(rounded, options) + plain(Math.abs(rounded), digits);
}

export function count(value: number): string {
  return plain(value, 0);
}

/** A fraction as a percentage, which exists on the screen alone: "82 %", below ten to the tenth: "+3.4 %". */
export function share(value: number, options: Signed = {}): string {
  const size = Math.abs(100 * value);
  const text = size < 9.95 ? plain(size, 1).replace(/\.0$/, "") : plain(size, 0);
  const sign = text === "0" ? "" : signOf(value, options);
  return `${sign}${text}${NO_BREAK}%`;
}

/** "from 74 % to 83 %". */
export function shareRange(low: number, high: number, options: Signed = {}): string {
  return `from ${share(low, options)} to ${share(high, options)}`;
}

/** No chance is claimed above this; the server caps what it sends at the same figure. */
const MOST_SURE = 0.97;

/** A probability as odds a person would say: "8 in 10", and never more than 97 in 100. */
export function chance(asked: number): string {
  const probability = Math.min(MOST_SURE, asked);
  if (probability >= 0.95) return `${String(Math.floor(100 * probability + 1e-9))} in 100`;
  if (probability < 0.05) return "less than 1 in 20";
  return `${String(Math.min(9, Math.max(1, roundHalfEven(10 * probability))))} in 10`;
}

/** A probability as a percentage, within the same bounds. */
export function probability(value: number): string {
  return share(Math.min(MOST_SURE, Math.max(1 - MOST_SURE, value)));
}

/** The word for a probability; its number always stands beside it. */
export function likelihood(probability: number): string {
  if (probability <= 0.1) return "very unlikely";
  if (probability <= 0.34) return "unlikely";
  if (probability <= 0.4) return "less likely than not";
  if (probability <= 0.6) return "about even";
  if (probability <= 0.66) return "more likely than not";
  return probability <= 0.9 ? "likely" : "very likely";
}

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A local calendar day: "Mon 23 Nov"; with the year where a reader could take it for another. */
export function shortDay(date: string, options: { year?: boolean } = {}): string {
  const at = new Date(`${date}T00:00:00Z`);
  const year = options.year ? ` ${String(at.getUTCFullYear())}` : "";
  return `${WEEKDAYS[at.getUTCDay()] ?? ""}${NO_BREAK}${dayAndMonth(at)}${year}`;
}

/** A run of days: "week of Mon 23 Nov", or "Mon 23 Nov to Sun 20 Dec". */
export function period(start: string, end: string): string {
  const days = (Date.parse(end) - Date.parse(start)) / 86_400_000 + 1;
  return days === 7 ? `week of ${shortDay(start)}` : `${shortDay(start)} to ${shortDay(end)}`;
}

/** An instant: "22 Nov 2026, 06:10 UTC". */
export function instant(at: string): string {
  const when = new Date(at);
  return `${dayAndMonth(when)} ${String(when.getUTCFullYear())}, ${when.toISOString().slice(11, 16)}${NO_BREAK}UTC`;
}

/** A temperature against normal: "6.2 °C warmer than normal". */
export function anomaly(value: number): string {
  const size = Number(Math.abs(value).toFixed(1));
  if (size === 0) return "as warm as normal";
  return `${decimal(size, 1)}${NO_BREAK}°C ${value > 0 ? "warmer" : "colder"} than normal`;
}

/** A difference in temperature: "+6.2 °C". */
export function degrees(value: number, options: Signed = {}): string {
  return `${decimal(value, 1, options)}${NO_BREAK}°C`;
}

const INITIALS = /\b(tv|ctv|ooh|dooh|seo|crm|sms)\b/g;

/** A name as stored ("new-york", "paid_social", "tv") as a person writes it, where no better name is known. */
export function title(name: string): string {
  const words = name
    .replaceAll(/[_-]+/g, " ")
    .trim()
    .replaceAll(INITIALS, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function dayAndMonth(at: Date): string {
  return `${String(at.getUTCDate())}${NO_BREAK}${MONTHS[at.getUTCMonth()] ?? ""}`;
}

function signOf(value: number, { signed }: Signed): string {
  if (value < 0) return MINUS;
  return signed && value > 0 ? "+" : "";
}

function withUnit(sign: string, digits: string, unit: string): string {
  const symbol = SYMBOLS[unit];
  if (symbol !== undefined) return sign + symbol + digits;
  if (isCurrency(unit)) return `${sign}${unit}${NO_BREAK}${digits}`;
  return unit === "" ? sign + digits : `${sign}${digits}${NO_BREAK}${unit}`;
}

/** Whether outcomes are money; if not, their unit is a word, and is said once instead of with every figure. */
export function isCurrency(unit: string): boolean {
  return /^[A-Z]{3}$/.test(unit);
}

function plain(value: number, digits: number): string {
  return new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
    toPlaces(value, digits),
  );
}

/** Rounded by the number's exact binary value with ties to even, as Python formats it. */
function toPlaces(value: number, digits: number): number {
  const exact = value.toFixed(Math.min(100, digits + 25));
  const isTie = /^50*$/.test(exact.slice(exact.indexOf(".") + 1 + digits));
  return isTie ? roundHalfEven(value * 10 ** digits) / 10 ** digits : Number(value.toFixed(digits));
}

/** Ties go to the even neighbour, as Python's round does. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
