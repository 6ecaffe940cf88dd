// The contracts by the names the rest of the house uses; every shape comes from schema.gen.ts.
import type { components } from "./schema.gen.ts";

type Schemas = components["schemas"];

export type BudgetPlan = Schemas["BudgetPlan"];
export type ModelSummary = Schemas["ModelSummary"];
export type ChannelEvidence = Schemas["ChannelEvidence"];
export type DemandDay = Schemas["DemandDay"];
export type ForecastQuality = Schemas["ForecastQuality"];
export type GeoOutlook = Schemas["GeoOutlook"];
export type MediaSignal = Schemas["MediaSignal"];
export type Money = Schemas["Money"];
export type Period = Schemas["Period"];
export type PlanLine = Schemas["PlanLine"];
export type Problem = Schemas["Problem"];
export type Quantiles = Schemas["Quantiles"];
export type TenantSummary = Schemas["TenantSummary"];
export type WeatherEffect = Schemas["WeatherEffect"];
export type Direction = PlanLine["direction"];
export type Ribbon = BudgetPlan["ribbons"][number];
