// Types of the service, made by `npm run types`. sha256 of openapi.json: 029efc408162fe85eee3e1e5082bf1554dbeffb7573c50ae0bc11f62bcba1d93
export interface paths {
    "/v1/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is the service there
         * @description Touches neither state nor database.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/plans/{tenant}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest plan of one tenant */
        get: operations["getPlan"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every tenant, by name */
        get: operations["listTenants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * BacktestScore
         * @description Error of one method over every held-out origin; WAPE is Σ|error| / Σ|actual|.
         */
        BacktestScore: {
            /** Method */
            method: string;
            /** N */
            n: number;
            /** Wape */
            wape: number;
        };
        /**
         * BudgetPlan
         * @description A plan: one sentence, the lines behind it, the evidence behind them. Money totals are exact sums of the lines.
         */
        BudgetPlan: {
            /**
             * As Of
             * Format: date
             */
            as_of: string;
            /** Caveats */
            caveats: string[];
            certificate: components["schemas"]["Certificate"];
            /** Chance Gain */
            chance_gain: number;
            /** Channels */
            channels: components["schemas"]["ChannelEvidence"][];
            /** Currency */
            currency: string;
            /** Data Hashes */
            data_hashes: {
                [key: string]: string;
            };
            /** Demand */
            demand: components["schemas"]["DemandDay"][];
            /** Demo */
            demo: boolean;
            forecast_quality: components["schemas"]["ForecastQuality"];
            gain: components["schemas"]["Quantiles"];
            /** Generated At */
            generated_at: string;
            /** Geos */
            geos: components["schemas"]["GeoOutlook"][];
            grain: components["schemas"]["GrainSelection"];
            limits: components["schemas"]["PlanLimits"];
            /** Lines */
            lines: components["schemas"]["PlanLine"][];
            media_signal: components["schemas"]["MediaSignal"];
            model: components["schemas"]["ModelSummary"];
            /** Outcome */
            outcome: string;
            /**
             * Outcome Is Money
             * @default true
             */
            outcome_is_money: boolean;
            period: components["schemas"]["Period"];
            /** Plan Id */
            plan_id: string;
            /** Reason */
            reason: string;
            /** Ribbons */
            ribbons: ("demo" | "not_calibrated" | "no_media_signal" | "no_weather_forecast" | "extrapolates")[];
            /** Schema Version */
            schema_version: number;
            /** Sentence */
            sentence: string;
            /** Tenant Id */
            tenant_id: string;
            /** Tenant Name */
            tenant_name: string;
            total_current: components["schemas"]["Money"];
            total_recommended: components["schemas"]["Money"];
            /**
             * Valid Until
             * Format: date
             */
            valid_until: string;
            /**
             * Verdict
             * @enum {string}
             */
            verdict: "change" | "keep";
            /** Weather Effects */
            weather_effects: components["schemas"]["WeatherEffect"][];
            /** Would Change Our Mind */
            would_change_our_mind: string[];
        };
        /**
         * Certificate
         * @description How good the allocation is: expected outcome reached, a proven upper bound, and the relative gap between them.
         */
        Certificate: {
            /** Gap Rel */
            gap_rel: number;
            /** Objective */
            objective: number;
            /** Upper Bound */
            upper_bound: number;
        };
        /**
         * ChannelEvidence
         * @description What the data says of one channel: outcome caused per unit of spend, and its share of the outcome.
         */
        ChannelEvidence: {
            /** Channel */
            channel: string;
            contribution_share: components["schemas"]["Quantiles"];
            roi: components["schemas"]["Quantiles"];
            /** Roi P05 */
            roi_p05: number;
            /** Roi P95 */
            roi_p95: number;
            /** Sentence */
            sentence: string;
            /** Told From Zero */
            told_from_zero: boolean;
            weekly_spend: components["schemas"]["Money"];
        };
        /**
         * DemandDay
         * @description Total demand of one period starting at `date`: what happened, or what is forecast; never both.
         */
        DemandDay: {
            /** Actual */
            actual: number | null;
            /**
             * Date
             * Format: date
             */
            date: string;
            forecast: components["schemas"]["Quantiles"] | null;
            /** Temp Anomaly Z */
            temp_anomaly_z: number | null;
        };
        /**
         * ForecastQuality
         * @description Rolling-origin record: our error beside the floors, and how often the 80 % interval held the truth.
         */
        ForecastQuality: {
            /** Chosen */
            chosen: string;
            /** Coverage 80 */
            coverage_80: number;
            /** Coverage High */
            coverage_high: number;
            /** Coverage Low */
            coverage_low: number;
            /** N */
            n: number;
            /** Origins */
            origins: string[];
            /** Scores */
            scores: components["schemas"]["BacktestScore"][];
            /** Sentence */
            sentence: string;
            /**
             * Verdict
             * @enum {string}
             */
            verdict: "calibrated" | "too narrow" | "too wide" | "not enough data";
        };
        /**
         * GeoOutlook
         * @description A place in the plan period: the weather that is coming against normal, and what it does to demand.
         */
        GeoOutlook: {
            current: components["schemas"]["Money"];
            demand: components["schemas"]["Quantiles"];
            /** Demand Weather Rel */
            demand_weather_rel: number | null;
            /** Geo */
            geo: string;
            /** Latitude */
            latitude: number | null;
            /** Longitude */
            longitude: number | null;
            /** Name */
            name: string;
            recommended: components["schemas"]["Money"];
            /** Temp Anomaly C */
            temp_anomaly_c: number | null;
            /** Temp Anomaly Z */
            temp_anomaly_z: number | null;
            /** Wet Days */
            wet_days: number | null;
        };
        /**
         * GrainSelection
         * @description What the data carries. `time` is the data's own step; media is always measured by week (mmm.md).
         */
        GrainSelection: {
            /** Categories */
            categories: string[];
            /**
             * Category Level
             * @enum {string}
             */
            category_level: "category" | "total";
            /** Channels */
            channels: string[];
            /**
             * Geo Level
             * @enum {string}
             */
            geo_level: "geo" | "national";
            /** Geos */
            geos: string[];
            /** N Days */
            n_days: number;
            /** Reason */
            reason: string;
            /** Rejected */
            rejected: components["schemas"]["RejectedGrain"][];
            /**
             * Time
             * @enum {string}
             */
            time: "day" | "week";
            /** Weather Complete Share */
            weather_complete_share: number;
        };
        /**
         * Health
         * @description The service answers; `version` is the package's.
         */
        Health: {
            /**
             * Status
             * @constant
             */
            status: "ok";
            /** Version */
            version: string;
        };
        /**
         * MediaSignal
         * @description Does spend explain the outcome better than the same spend at the wrong time? A placebo test.
         */
        MediaSignal: {
            /** N Placebos */
            n_placebos: number;
            /** P Value */
            p_value: number;
            /** Sentence */
            sentence: string;
            /** Told From Zero */
            told_from_zero: boolean;
        };
        /**
         * ModelSummary
         * @description The fit behind the plan and whether it converged.
         */
        ModelSummary: {
            /** Divergences */
            divergences: number;
            /** Engine */
            engine: string;
            /** Ess Min */
            ess_min: number;
            /**
             * Fitted Through
             * Format: date
             */
            fitted_through: string;
            /** Model Id */
            model_id: string;
            /** Rhat Max */
            rhat_max: number;
        };
        /**
         * Money
         * @description An amount in whole minor units (cents) of one ISO 4217 currency.
         */
        Money: {
            /** Currency */
            currency: string;
            /** Minor */
            minor: number;
        };
        /**
         * Period
         * @description Local calendar days from `start` to `end`, both included.
         */
        Period: {
            /**
             * End
             * Format: date
             */
            end: string;
            /**
             * Start
             * Format: date
             */
            start: string;
        };
        /**
         * PlanLimits
         * @description Guardrails of a plan. `total` None keeps the current total; a cell is one geo × channel.
         */
        PlanLimits: {
            /**
             * Allow Extrapolation
             * @default false
             */
            allow_extrapolation: boolean;
            max_cell?: components["schemas"]["Money"] | null;
            /**
             * Max Change Rel
             * @default 0.15
             */
            max_change_rel: number;
            min_cell?: components["schemas"]["Money"] | null;
            total?: components["schemas"]["Money"] | null;
        };
        /**
         * PlanLine
         * @description One geo × channel. Gain, outcome and return are over the whole plan period, in major currency units.
         */
        PlanLine: {
            /** Chance Gain */
            chance_gain: number;
            change: components["schemas"]["Money"];
            /** Change Rel */
            change_rel: number;
            /** Channel */
            channel: string;
            current: components["schemas"]["Money"];
            /**
             * Direction
             * @enum {string}
             */
            direction: "clearly_up" | "unclear" | "clearly_down" | "keep";
            /** Extrapolates */
            extrapolates: boolean;
            gain: components["schemas"]["Quantiles"];
            /** Geo */
            geo: string;
            marginal_return: components["schemas"]["Quantiles"];
            outcome: components["schemas"]["Quantiles"];
            /** Reason */
            reason: string;
            recommended: components["schemas"]["Money"];
            /** Would Change Our Mind */
            would_change_our_mind: string;
        };
        /**
         * Problem
         * @description The body of every failure: the error's name, what is wrong, and what to do next.
         */
        Problem: {
            /** Error */
            error: string;
            /** Problem */
            problem: string;
            /** Remedy */
            remedy: string;
        };
        /**
         * Quantiles
         * @description A tenth, half and nine tenths of the probability lie below p10, p50 and p90.
         */
        Quantiles: {
            /** P10 */
            p10: number;
            /** P50 */
            p50: number;
            /** P90 */
            p90: number;
        };
        /**
         * RejectedGrain
         * @description A finer grain and why the data does not carry it.
         */
        RejectedGrain: {
            /** Because */
            because: string;
            /** Grain */
            grain: string;
        };
        /**
         * TenantSummary
         * @description A tenant as the list of tenants shows it.
         */
        TenantSummary: {
            /** Demo */
            demo: boolean;
            /** Has Plan */
            has_plan: boolean;
            /** Name */
            name: string;
            /** Plan As Of */
            plan_as_of: string | null;
            /** Tenant Id */
            tenant_id: string;
        };
        /**
         * WeatherEffect
         * @description What one unit of a weather index does to demand, relative: quantiles of the total over its lags.
         */
        WeatherEffect: {
            /** Category */
            category: string;
            /** Index */
            index: string;
            /** Rel P05 */
            rel_p05: number;
            /** Rel P50 */
            rel_p50: number;
            /** Rel P95 */
            rel_p95: number;
            /** Unit */
            unit: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    getPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BudgetPlan"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listTenants: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantSummary"][];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
