// Journeys: open the plan, ask why, look at the map and its table, turn the lights down; and a server with nothing, then gone.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Page, expect } from "@playwright/test";
import type { BudgetPlan, Money, PlanLine, TenantSummary } from "../src/api/contracts.ts";
import { chance, decimal, degrees, major, probability, ratios, share, title, wholeMoney } from "../src/design/format.ts";
import { startServer, test } from "./server.ts";

async function read<T>(url: string): Promise<T> {
  const answer = await fetch(url);
  expect(answer.ok, url).toBe(true);
  return (await answer.json()) as T;
}

async function servedPlan(url: string): Promise<BudgetPlan> {
  const tenants = await read<TenantSummary[]>(`${url}v1/tenants`);
  const first = tenants.find((one) => one.has_plan);
  if (first === undefined) throw new Error("no tenant has a plan");
  return read<BudgetPlan>(`${url}v1/plans/${first.tenant_id}`);
}

/** The plan.json that the demo run behind this plan left in the state folder. */
function planOnDisk(state: string, planned: BudgetPlan): BudgetPlan {
  const runs = path.join(state, "artifacts", "demos", planned.tenant_id);
  const plans = readdirSync(runs).map((run) => JSON.parse(readFileSync(path.join(runs, run, "plan.json"), "utf8")) as BudgetPlan);
  const same = plans.find((one) => one.plan_id === planned.plan_id);
  if (same === undefined) throw new Error(`no plan.json of ${planned.plan_id} under ${runs}`);
  return same;
}

async function openAll(page: Page) {
  const closed = page.getByRole("button", { name: /^Show all/ });
  while ((await closed.count()) > 0) await closed.first().click();
}

async function expectMoney(page: Page, selector: string, amount: Money, options: { signed?: boolean } = {}) {
  const cell = page.locator(`${selector} data`);
  await expect(cell).toHaveText(wholeMoney(amount, options));
  await expect(cell).toHaveAttribute("value", String(major(amount)));
}

test("the plan in the browser is the plan in the store", async ({ page, server }) => {
  const failures: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") failures.push(message.text());
  });
  page.on("pageerror", (error) => failures.push(error.message));
  const plan = await servedPlan(server.url);
  if (plan.demo) expect(plan).toEqual(planOnDisk(server.state, plan));

  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(server.url);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(plan.sentence);
  await expect(page.getByText(plan.reason, { exact: true }).first()).toBeVisible();
  if (plan.demo) await expect(page.getByText("Demo", { exact: true })).toBeVisible();
  if (plan.verdict === "change") {
    const decision = page.getByRole("region", { name: "The decision" });
    await expect(decision.getByText(chance(plan.chance_gain ?? 0), { exact: true })).toBeVisible();
    await expect(decision.locator(`data[value="${String(plan.chance_gain ?? 0)}"]`)).toHaveText(probability(plan.chance_gain ?? 0));
  } else {
    await expect(page.getByText(/that this brings more/)).toHaveCount(0);
  }
  await expect(page.getByRole("img", { name: /^Demand:/ })).toBeVisible();
  await saveScreens(page, "light");

  await test.step("every line and total", async () => {
    await openAll(page);
    await expect(page.locator("tr[data-line]")).toHaveCount(plan.lines.length);
    for (const line of plan.lines) await expectLine(page, line);
    const table = page.getByRole("table", { name: "Budget by place and channel" });
    const totals = table.locator("tfoot data");
    await expect(totals.nth(0)).toHaveAttribute("value", String(major(plan.total_current)));
    await expect(totals.nth(1)).toHaveAttribute("value", String(major(plan.total_recommended)));
    await expect(totals.nth(0)).toHaveText(wholeMoney(plan.total_current));
    await expect(totals.nth(1)).toHaveText(wholeMoney(plan.total_recommended));
  });

  await test.step("the evidence, channel by channel", async () => {
    const card = page.getByRole("region", { name: "What ads bring in" });
    await expect(card.getByText(plan.media_signal.sentence, { exact: true })).toBeVisible();
    await expect(card.getByText(`p = ${decimal(plan.media_signal.p_value, 3)}`)).toBeVisible();
    for (const { channel, roi, roi_p05, roi_p95, standing, weekly_spend } of plan.channels) {
      const item = card.getByRole("listitem").filter({ has: page.getByText(title(channel), { exact: true }) });
      const [middle = "", low = "", high = ""] = ratios(roi.p50, roi.p10, roi.p90, roi_p05, roi_p95);
      const told = `${middle} on average (from ${low} to ${high})`;
      await expect(item).toContainText(standing === "not_measured" ? "not measured" : told);
      await expect(item.locator("data")).toHaveText(wholeMoney(weekly_spend));
    }
    const effects = page.getByRole("region", { name: "What the weather does" });
    await expect(effects.getByRole("img")).toHaveCount(plan.weather_effects.length);
    for (const { rel_p50 } of plan.weather_effects) await expect(effects).toContainText(share(rel_p50, { signed: true }));
    const sure = page.getByRole("region", { name: "How sure" });
    await expect(sure).toContainText(`${title(plan.forecast_quality.verdict)}. ${plan.forecast_quality.sentence}`);
    for (const { wape } of plan.forecast_quality.scores) await expect(sure.locator(`data[value="${String(wape)}"]`)).toHaveText(share(wape));
  });

  await test.step("why", async () => {
    const first = page.locator("tr[data-line]").first();
    const key = await first.getAttribute("data-line");
    const line = plan.lines.find((one) => `${one.geo}/${one.channel}` === key);
    if (line === undefined) throw new Error(`no line ${String(key)}`);
    await first.getByRole("button", { name: /^why/ }).click();
    await expect(page.getByText(line.reason, { exact: true }).locator("visible=true").first()).toBeVisible();
    await expect(page.getByText(line.would_change_our_mind).locator("visible=true").first()).toBeVisible();
  });

  await test.step("the map, as change and as a table", async () => {
    const card = page.getByRole("region", { name: /^Where/ });
    const change = card.getByText("Budget change", { exact: true });
    if ((await change.count()) > 0 && plan.verdict === "change") {
      await change.click();
      await expect(card.getByRole("group", { name: "Map: Budget change by place" })).toBeVisible();
      await card.screenshot({ path: "screenshots/map-change.png" });
    }
    const asTable = card.getByRole("button", { name: "as table" });
    if ((await asTable.count()) > 0) await asTable.click();
    for (const geo of plan.geos) {
      const rows = card.getByRole("row").filter({ has: page.getByRole("cell", { name: geo.name, exact: true }) });
      const row = (await card.getByRole("table").count()) > 0 ? rows : card; // one place alone needs no table
      await expect(row).toContainText(wholeMoney(geo.recommended));
      if (geo.temp_anomaly_c !== null) await expect(row).toContainText(degrees(geo.temp_anomaly_c, { signed: true }));
    }
  });

  await test.step("dark, and kept after a reload", async () => {
    await page.getByRole("button", { name: /Dark/ }).click();
    await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
    await page.reload();
    await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
    await expect(page.getByRole("img", { name: /^Demand:/ })).toBeVisible();
    await saveScreens(page, "dark");
  });

  expect(failures).toEqual([]);
});

test("without a plan the page teaches, and without a server it says so", async ({ page }) => {
  const state = mkdtempSync(path.join(tmpdir(), "weathervane-empty-"));
  const { url, stop } = await startServer(state);
  try {
    await page.goto(url);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(/There is no plan yet/);
    await expect(page.getByText("make demo", { exact: true })).toBeVisible();
    expect(readdirSync(state)).toEqual([]);
    await page.goto(`${url}?tenant=nobody`);
    await expect(page.getByRole("alert")).toContainText("There is no tenant 'nobody'.");
  } finally {
    await stop();
    rmSync(state, { recursive: true });
  }
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("alert")).toContainText("The WeatherVane server does not answer.");
});

async function expectLine(page: Page, line: PlanLine) {
  const row = `tr[data-line="${line.geo}/${line.channel}"]`;
  await expectMoney(page, `${row} td:nth-child(2)`, line.current);
  await expectMoney(page, `${row} td:nth-child(3)`, line.recommended);
  await expectMoney(page, `${row} td:nth-child(4)`, line.change, { signed: true });
}

/** Desktop and phone are kept as pictures; at no width may the page scroll sideways. */
async function saveScreens(page: Page, scheme: string) {
  for (const width of [320, 390, 768, 1024, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForTimeout(300); // the chart fits itself to its new width
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, `sideways scroll at ${String(width)}`).toBeLessThanOrEqual(0);
    if (width !== 390 && width !== 1280) continue;
    await page.screenshot({ path: `screenshots/plan-${String(width)}-${scheme}.png`, fullPage: true });
  }
}
