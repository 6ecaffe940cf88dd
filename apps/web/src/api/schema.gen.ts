// Types of the service, made by `npm run types`. sha256 of openapi.json: 2af8d2763d67f718b4f1860c64522ae24f3abc02c2c9953a42f2a96451a73c69
export interface paths {
    "/v1/calibration/{tenant}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest calibration run of one tenant */
        get: operations["getCalibration"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calibration/{tenant}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every calibration run of one tenant in one line, oldest first; empty before the first */
        get: operations["listCalibrations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
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
    "/v1/plans/{tenant}/scenarios/comparison": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Up to four kept scenarios, side by side */
        get: operations["compareScenarios"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/plans/{tenant}/scenarios/recommendations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Scenarios that the allocator finds */
        get: operations["recommendScenarios"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/plans/{tenant}/scenarios/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The newest plan with levers changed; nothing is kept */
        post: operations["runScenario"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/plans/{tenant}/scenarios/snapshots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every kept scenario, the last changed first */
        get: operations["listScenarios"];
        put?: never;
        /** Run a scenario and keep it */
        post: operations["saveScenario"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/plans/{tenant}/scenarios/snapshots/{scenario_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One kept scenario, newest version */
        get: operations["getScenario"];
        put?: never;
        post?: never;
        /** Remove a kept scenario, every version of it */
        delete: operations["deleteScenario"];
        options?: never;
        head?: never;
        /** A new version of a kept scenario */
        patch: operations["changeScenario"];
        trace?: never;
    };
    "/v1/settings/{tenant}/automation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The automation settings as they stand */
        get: operations["getAutomation"];
        /** New automation settings; the ones before stay in the history */
        put: operations["setAutomation"];
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
         * AutomationChoice
         * @description The settings that a form sends, all of them; `by` is who chose them. Consent stays as it is.
         */
        AutomationChoice: {
            /** By */
            by: string;
            guardrails?: components["schemas"]["Guardrails"];
            /**
             * Mode
             * @enum {string}
             */
            mode: "manual" | "assist" | "autopilot";
            /**
             * Notes
             * @default
             */
            notes: string;
            /** Platforms */
            platforms?: {
                [key: string]: string;
            };
        };
        /**
         * AutomationSettings
         * @description A tenant's choice. By default nothing is ever written.
         *
         *     `platforms` names the ad platform of a channel; a channel it does not name is a platform of its own.
         */
        AutomationSettings: {
            consent?: components["schemas"]["Consent"];
            guardrails?: components["schemas"]["Guardrails"];
            /**
             * Mode
             * @default manual
             * @enum {string}
             */
            mode: "manual" | "assist" | "autopilot";
            /**
             * Notes
             * @default
             */
            notes: string;
            /** Platforms */
            platforms?: {
                [key: string]: string;
            };
        };
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
         * Binding
         * @description A limit that the plan presses against, in `count` cells or rows.
         *
         *     `worth` is what one major unit more of room would bring at most, in the objective's unit; None where room is not
         *     counted in money.
         */
        Binding: {
            /** Count */
            count: number;
            /** Limit */
            limit: string;
            /** Worth */
            worth: number | null;
        };
        /**
         * BudgetPlan
         * @description A plan: one sentence, the lines behind it, the evidence behind them. Money totals are exact sums of the lines.
         *
         *     `carry_in` is what spend before the period still brings in it, `carry_out` what its budgets bring after it; None
         *     where the fit does not say how long ads last. `chance_gain` is None where the plan keeps what is. `weather_sentence`
         *     says what weather it was made over, `now_sentence` what "now" is beside last week, `total_sentence` whether the
         *     total looks right: `average_return` is what the average next unit of money brings, before the cost of what is sold,
         *     and `margin` what is left of a unit of outcome after that cost. Without `coverage_by_lead` the forecasts have not
         *     been scored yet.
         */
        BudgetPlan: {
            /**
             * @default {
             *       "goal": "outcome",
             *       "risk": "expected",
             *       "tail": 0.1
             *     }
             */
            aim: components["schemas"]["PlanAim"];
            /**
             * As Of
             * Format: date
             */
            as_of: string;
            average_return?: components["schemas"]["Quantiles"] | null;
            carry_in?: components["schemas"]["Quantiles"] | null;
            carry_out?: components["schemas"]["Quantiles"] | null;
            /** Caveats */
            caveats: string[];
            certificate: components["schemas"]["Certificate"];
            /** Chance Gain */
            chance_gain: number | null;
            /** Channels */
            channels: components["schemas"]["ChannelEvidence"][];
            /**
             * Coverage By Lead
             * @default []
             */
            coverage_by_lead: components["schemas"]["LeadCoverage"][];
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
            /**
             * Experiments
             * @default []
             */
            experiments: components["schemas"]["ExperimentPayload"][];
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
            /** Margin */
            margin?: number | null;
            media_signal: components["schemas"]["MediaSignal"];
            model: components["schemas"]["ModelSummary"];
            /**
             * Now Sentence
             * @default
             */
            now_sentence: string;
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
             * Total Sentence
             * @default
             */
            total_sentence: string;
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
            /**
             * Weather Sentence
             * @default
             */
            weather_sentence: string;
            weather_worth?: components["schemas"]["WeatherWorth"] | null;
            /** Would Change Our Mind */
            would_change_our_mind: string[];
        };
        /**
         * CalibrationRun
         * @description How a tenant's forecasts have done, as measured at `generated_at`.
         *
         *     The scores at the top are those of single series in the record that `source` names, with the 80 % interval's
         *     coverage and its 95 % interval; `pinball` is the mean over LEVELS. `run_id` names forecast and data, so the same
         *     calibration made again is the same run.
         */
        CalibrationRun: {
            backtest: components["schemas"]["Record"] | null;
            /** Bias */
            bias: number;
            /** Coverage High */
            coverage_high: number;
            /** Coverage Low */
            coverage_low: number;
            /** Coverage P10 P90 */
            coverage_p10_p90: number;
            /** Currency */
            currency: string;
            /** Data Hashes */
            data_hashes: {
                [key: string]: string;
            };
            /** Demo */
            demo: boolean;
            /** Forecast Id */
            forecast_id: string;
            /** Generated At */
            generated_at: string;
            /** Grain */
            grain: string;
            ledger: components["schemas"]["Record"] | null;
            /** Mae */
            mae: number;
            metrics: components["schemas"]["Metrics"];
            /** Misses */
            misses: components["schemas"]["Miss"][];
            /** Misses Of */
            misses_of: ("backtest" | "ledger") | null;
            /** Model */
            model: string;
            /** Model Version */
            model_version: string;
            /** N */
            n: number;
            /** Notes */
            notes: string[];
            /** Outcome */
            outcome: string;
            /** Outcome Is Money */
            outcome_is_money: boolean;
            /** Pinball */
            pinball: number;
            restatement: components["schemas"]["Restatement"] | null;
            /** Rmse */
            rmse: number;
            rules: components["schemas"]["Rules"];
            /** Run Id */
            run_id: string;
            /** Schema Version */
            schema_version: number;
            /** Sentence */
            sentence: string;
            /**
             * Source
             * @enum {string}
             */
            source: "backtest" | "ledger";
            /**
             * Status
             * @enum {string}
             */
            status: "calibrated" | "too narrow" | "too wide" | "not enough data";
            /** Tenant */
            tenant: string;
            /** Tenant Name */
            tenant_name: string;
            /** Wape */
            wape: number | null;
            weather_value: components["schemas"]["WeatherValue"] | null;
            window: components["schemas"]["Period"];
        };
        /**
         * Certificate
         * @description How good the allocation is: what is reached, a proven upper bound, and the relative gap between them.
         *
         *     `of` says what was maximised; `binding` names the limits that keep it from more, the dearest first.
         */
        Certificate: {
            /**
             * Binding
             * @default []
             */
            binding: components["schemas"]["Binding"][];
            /** Gap Rel */
            gap_rel: number;
            /** Objective */
            objective: number;
            /**
             * Of
             * @default expected outcome
             */
            of: string;
            /** Upper Bound */
            upper_bound: number;
        };
        /**
         * ChangeWindow
         * @description When budgets may change: from `start_utc` up to, not including, `end_utc`, on these weekdays (0 is Monday).
         */
        ChangeWindow: {
            /**
             * End Utc
             * Format: time
             */
            end_utc: string;
            /**
             * Start Utc
             * Format: time
             */
            start_utc: string;
            /**
             * Weekdays
             * @default [
             *       0,
             *       1,
             *       2,
             *       3,
             *       4
             *     ]
             */
            weekdays: number[];
        };
        /**
         * ChannelEvidence
         * @description What the data says of one channel: outcome caused per unit of spend, on average over all that was spent, and its
         *     share of the outcome.
         *
         *     Where channels are known `only_together`, each has the return of all of them and its part of their share by spend.
         *     Of one `not_measured` the figures are what was believed before the data, and no surface shows them as found.
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
            /**
             * Standing
             * @default measured
             * @enum {string}
             */
            standing: "measured" | "only_together" | "not_measured";
            /** Told From Zero */
            told_from_zero: boolean;
            weekly_spend: components["schemas"]["Money"];
        };
        /**
         * ChannelMinimum
         * @description The least that a platform takes of a channel in one cell and period.
         */
        ChannelMinimum: {
            /** Channel */
            channel: string;
            minimum: components["schemas"]["Money"];
        };
        /**
         * Consent
         * @description Whether a person allowed writing to ad platforms: who, when, and to which wording. Instants are UTC with Z.
         */
        Consent: {
            /** Actor */
            actor?: string | null;
            /** Granted At */
            granted_at?: string | null;
            /** Revoked At */
            revoked_at?: string | null;
            /**
             * Status
             * @default pending
             * @enum {string}
             */
            status: "pending" | "granted" | "revoked";
            /**
             * Version
             * @default 1
             */
            version: number;
        };
        /**
         * Coverage
         * @description How often one interval held the truth, beside what it promised, each with the ends of its 95 % interval.
         *
         *     `low` and `high` know that cells err together, Wilson's do not. `n_effective` independent cells would know as much.
         *     `more_days` of record are missing before there is a verdict; zero once there is one.
         */
        Coverage: {
            /** High */
            high: number;
            /** Inside */
            inside: number;
            /** Low */
            low: number;
            /** More Days */
            more_days: number;
            /** N */
            n: number;
            /** N Effective */
            n_effective: number;
            /** Nominal */
            nominal: number;
            /** Share */
            share: number;
            /**
             * Verdict
             * @enum {string}
             */
            verdict: "calibrated" | "too narrow" | "too wide" | "not enough data";
            /** Wilson High */
            wilson_high: number;
            /** Wilson Low */
            wilson_low: number;
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
         * ExperimentPayload
         * @description One cell of an experiment as a plan lists it: what is tested where and when, and what it showed.
         *
         *     `pending` is frozen and not begun; `failed` was stopped, could not be read or was not carried out, and has no lift.
         *     Spend is what the tested channel cost in each arm in the test window so far; None before it, and where spend by
         *     place is not known. The geos of a trigger experiment take turns and stand in both arms. `lift` is the result that
         *     counts.
         */
        ExperimentPayload: {
            /** Channel */
            channel: string;
            /** Control Geos */
            control_geos: string[];
            control_spend: components["schemas"]["Money"] | null;
            /**
             * End Date
             * Format: date
             */
            end_date: string;
            /** Experiment Id */
            experiment_id: string;
            lift: components["schemas"]["LiftResult"] | null;
            /** Metric Name */
            metric_name: string;
            /**
             * Start Date
             * Format: date
             */
            start_date: string;
            /**
             * Status
             * @enum {string}
             */
            status: "pending" | "running" | "completed" | "failed";
            /** Treatment Geos */
            treatment_geos: string[];
            treatment_spend: components["schemas"]["Money"] | null;
        };
        /**
         * Extrapolation
         * @description A planned promotion deeper than any its category had: nothing measured says what it will do.
         */
        Extrapolation: {
            /** Category */
            category: string;
            /**
             * Date
             * Format: date
             */
            date: string;
            /** Deepest Seen */
            deepest_seen: number;
            /** Geo */
            geo: string;
            /** Planned Depth */
            planned_depth: number;
        };
        /**
         * ForecastQuality
         * @description Rolling-origin record: our error beside the floors, and how often the 80 % interval held the truth.
         *
         *     `issued_wape` is the error of the forecasts as they would have been issued, each by the method that was best until
         *     then; the scores of the methods are over all origins, `chosen` by the same.
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
            /**
             * Extrapolations
             * @default []
             */
            extrapolations: components["schemas"]["Extrapolation"][];
            /** Issued Wape */
            issued_wape?: number | null;
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
            weather?: components["schemas"]["ValueOfWeather"] | null;
            /**
             * Width
             * @default []
             */
            width: components["schemas"]["WidthShare"][];
        };
        /**
         * GeoOutlook
         * @description A place in the plan period: the weather that is coming against normal, and what it does to demand.
         *
         *     `weather_basis` says what the plan took its weather from; None is its forecast's mean, or normal weather.
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
            /** Weather Basis */
            weather_basis?: ("ensemble" | "forecast" | "climatology") | null;
            /** Wet Days */
            wet_days: number | null;
        };
        /**
         * GrainSelection
         * @description What the data carries. `time` is the data's own step; media is always measured by week (mmm.md).
         *
         *     `left_out` are places that do not report throughout and are in no sum; `since` is the day from which all others do.
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
            /**
             * Left Out
             * @default []
             */
            left_out: string[];
            /** N Days */
            n_days: number;
            /** Reason */
            reason: string;
            /** Rejected */
            rejected: components["schemas"]["RejectedGrain"][];
            /** Since */
            since?: string | null;
            /**
             * Time
             * @enum {string}
             */
            time: "day" | "week";
            /** Weather Complete Share */
            weather_complete_share: number;
        };
        /**
         * GroupBudget
         * @description Least and most that some cells may have together over the whole plan period; None sets no end.
         */
        GroupBudget: {
            maximum?: components["schemas"]["Money"] | null;
            minimum?: components["schemas"]["Money"] | null;
            scope: components["schemas"]["Scope"];
        };
        /**
         * Guardrails
         * @description What no push may do. Spend and budgets are a day and cell (geo × channel); None means no such guardrail.
         *
         *     `roas_floor` is the least expected outcome per unit of budget, where the outcome is money; `cpa_ceiling` the most
         *     budget, in major units, per unit of outcome, where it is not. Without a change window no window is ever open.
         */
        Guardrails: {
            /**
             * Change Windows
             * @default []
             */
            change_windows: components["schemas"]["ChangeWindow"][];
            /** Cpa Ceiling */
            cpa_ceiling?: number | null;
            /**
             * Daily Push Cap
             * @default 1
             */
            daily_push_cap: number;
            /**
             * Max Daily Change Rel
             * @default 0.15
             */
            max_daily_change_rel: number;
            min_daily_spend?: components["schemas"]["Money"] | null;
            /** Roas Floor */
            roas_floor?: number | null;
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
         * Held
         * @description A coverage under the names that existing readers of the record know.
         */
        Held: {
            /** Coverage */
            coverage: number;
            /** Inside */
            inside: number;
            /** Outside */
            outside: number;
            /** Total */
            total: number;
        };
        /**
         * HistoryLine
         * @description One calibration run as a line of the history.
         */
        HistoryLine: {
            /** Bias */
            bias: number;
            /** Coverage High */
            coverage_high: number;
            /** Coverage Low */
            coverage_low: number;
            /** Coverage P10 P90 */
            coverage_p10_p90: number;
            /** Grain */
            grain: string;
            /** Mae */
            mae: number;
            /** Model Version */
            model_version: string;
            /** Notes */
            notes: string;
            /** Pinball */
            pinball: number;
            /** Rmse */
            rmse: number;
            /** Run Id */
            run_id: string;
            /** Sample Size */
            sample_size: number;
            /**
             * Source
             * @enum {string}
             */
            source: "backtest" | "ledger";
            /**
             * Status
             * @enum {string}
             */
            status: "calibrated" | "too narrow" | "too wide" | "not enough data";
            /** Tenant */
            tenant: string;
            /** Timestamp */
            timestamp: string;
            /** Wape */
            wape: number | null;
            /** Window End */
            window_end: string;
            /** Window Start */
            window_start: string;
        };
        /**
         * LeadCoverage
         * @description How often the 80 % interval held the truth so many forecast periods ahead, with the 95 % interval of that.
         */
        LeadCoverage: {
            /** Coverage */
            coverage: number;
            /** First Lead */
            first_lead: number;
            /** High */
            high: number;
            /** Last Lead */
            last_lead: number;
            /** Low */
            low: number;
            /** N */
            n: number;
        };
        /**
         * LiftResult
         * @description What ads added, whatever the sign of the spend change: positive means that ads add value.
         *
         *     `lift_rel` is relative to the outcome without those ads, over the window and its cool-down; `lift_abs` is the total
         *     over all treated geos and `n_days`, in `kpi_unit` (a currency code, or "units"). `spend_change_abs` is signed: spend
         *     in the test minus what would have been spent. The interval at 1 - alpha is the inversion of the test that gave
         *     `p_value`; an end that is None is unbounded. `iroas` is outcome per unit of spend, `cpic` spend per unit of outcome;
         *     None means that it cannot be said.
         *
         *     A trigger test counts `triggered_geo_days`, the trigger days of a geo on which ads answered; its `lift_rel` is
         *     relative to the outcome of those days without them, and its geos take turns, so they stand in both arms.
         *
         *     `trusted` is False where the interval is known not to hold as often as it should: the caveats say why.
         *     `false_alarm_share` is how often this very test found something in its own past, where nothing had changed; None
         *     where that is as it should be or was not measured; it rests on `false_alarm_windows` that do not overlap.
         */
        LiftResult: {
            /** Alpha */
            alpha: number;
            /** Caveats */
            caveats: string[];
            /** Cell */
            cell: string;
            /** Channel */
            channel: string;
            /** Control Geos */
            control_geos: string[];
            /** Cooldown Days */
            cooldown_days: number;
            /** Cpic */
            cpic: number | null;
            /** Cpic High */
            cpic_high: number | null;
            /** Cpic Low */
            cpic_low: number | null;
            /**
             * Estimator
             * @enum {string}
             */
            estimator: "difference_in_differences" | "synthetic_control" | "augmented" | "synthetic_did" | "time_based_regression" | "trimmed_match" | "episode_differences";
            /** Experiment Id */
            experiment_id: string;
            /** False Alarm Share */
            false_alarm_share?: number | null;
            /**
             * False Alarm Windows
             * @default 0
             */
            false_alarm_windows: number;
            /** Iroas */
            iroas: number | null;
            /** Iroas High */
            iroas_high: number | null;
            /** Iroas Low */
            iroas_low: number | null;
            /** Kpi Unit */
            kpi_unit: string;
            /** Lift Abs */
            lift_abs: number;
            /** Lift Abs High */
            lift_abs_high: number | null;
            /** Lift Abs Low */
            lift_abs_low: number | null;
            /** Lift Rel */
            lift_rel: number;
            /** Lift Rel High */
            lift_rel_high: number | null;
            /** Lift Rel Low */
            lift_rel_low: number | null;
            /** N Days */
            n_days: number;
            /** N Geos Control */
            n_geos_control: number;
            /** N Geos Treatment */
            n_geos_treatment: number;
            /** P Floor */
            p_floor: number;
            /** P Value */
            p_value: number;
            /** Placebo Pass */
            placebo_pass: boolean | null;
            /** Sentence */
            sentence: string;
            /** Spend Change Abs */
            spend_change_abs: number | null;
            /**
             * Test
             * @enum {string}
             */
            test: "randomisation" | "block_conformal" | "iid_conformal" | "posterior_t" | "placebo_normal" | "trimmed_t";
            /** Treated Geos */
            treated_geos: string[];
            /** Triggered Geo Days */
            triggered_geo_days?: number | null;
            /**
             * Trusted
             * @default true
             */
            trusted: boolean;
            window: components["schemas"]["Period"];
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
         * Metrics
         * @description The headline's scores of single series under the names that existing readers know, each meaning the same.
         */
        Metrics: {
            /** Coverage By Horizon */
            coverage_by_horizon: {
                [key: string]: components["schemas"]["Held"];
            };
            /** Interval Widths */
            interval_widths: {
                [key: string]: number;
            };
            /** Mae */
            mae: number;
            /** Nominal Coverage */
            nominal_coverage: number;
            overall_coverage: components["schemas"]["Held"];
            /** Prediction Bias */
            prediction_bias: number;
            /** Sharpness Score */
            sharpness_score: number | null;
        };
        /**
         * Miss
         * @description One past week's error of the total, taken apart (calibration.md, "Why a week missed"); outcome units.
         *
         *     `actual - expected` is `error`, and `weather + plan + promotion + model` is it exactly. `not_known` names the causes
         *     that could not be looked into: what they did is in `model`.
         */
        Miss: {
            /** Actual */
            actual: number;
            /** Error */
            error: number;
            /** Expected */
            expected: number;
            /** Model */
            model: number;
            /** Not Known */
            not_known: string[];
            /**
             * Origin
             * Format: date
             */
            origin: string;
            /** Plan */
            plan: number;
            /** Promotion */
            promotion: number;
            /** Weather */
            weather: number;
            week: components["schemas"]["Period"];
        };
        /**
         * ModelSummary
         * @description The fit behind the plan, whether it converged, and how far it was off in weeks hidden from it.
         *
         *     `unseen` has the model first, then simple forecasts of the same weeks; empty where it could not be tested, and
         *     `unseen_sentence` says either.
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
            /**
             * Unseen
             * @default []
             */
            unseen: components["schemas"]["BacktestScore"][];
            /**
             * Unseen Sentence
             * @default
             */
            unseen_sentence: string;
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
         * NewScenario
         * @description A scenario to keep; `by` is who keeps it.
         */
        NewScenario: {
            /** By */
            by: string;
            /**
             * Description
             * @default
             */
            description: string;
            /** Name */
            name: string;
            scenario?: components["schemas"]["Scenario"];
            /**
             * Tags
             * @default []
             */
            tags: string[];
        };
        /**
         * OutcomeCap
         * @description The most that media may bring to a geo over the plan period, in major units: more could not be shipped.
         */
        OutcomeCap: {
            /** Geo */
            geo: string;
            /** Maximum */
            maximum: number;
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
         * PeriodBudget
         * @description One line in one period of the plan.
         */
        PeriodBudget: {
            current: components["schemas"]["Money"];
            period: components["schemas"]["Period"];
            recommended: components["schemas"]["Money"];
        };
        /**
         * PitBin
         * @description The share of actuals between the quantiles at two levels, and the share that should lie there.
         */
        PitBin: {
            /** End */
            end: number;
            /** Expected */
            expected: number;
            /** Share */
            share: number;
            /** Start */
            start: number;
        };
        /**
         * PlanAim
         * @description What a plan is for. Most outcome of the total; most profit at `margin` per unit of outcome, up to the total; most
         *     outcome up to the total while all money returns `return_floor`; `target` outcome for the least money; or `extra`
         *     money placed (taken, if negative) without touching the rest. `tail` belongs to the risk "cvar".
         */
        PlanAim: {
            extra?: components["schemas"]["Money"] | null;
            /**
             * Goal
             * @default outcome
             * @enum {string}
             */
            goal: "outcome" | "profit" | "return_floor" | "target" | "extra";
            /** Margin */
            margin?: number | null;
            /** Return Floor */
            return_floor?: number | null;
            /**
             * Risk
             * @default expected
             * @enum {string}
             */
            risk: "expected" | "p10" | "cvar";
            /**
             * Tail
             * @default 0.1
             */
            tail: number;
            /** Target */
            target?: number | null;
        };
        /**
         * PlanLimits
         * @description Guardrails of a plan. `total` None keeps the current total; a cell is one geo × channel × period.
         *
         *     `max_change_rel` is against the current budget, `max_step_rel` from one period to the next. `marginal_floor` is the
         *     least that the next unit of money must bring on average: a cell under it gets no more than its other limits force
         *     on it; a ceiling on cost per outcome is its inverse. `may_pause` lets a cell be switched off altogether, else
         *     it holds its own least. Of the current total the geos that have less than half of the budget that
         *     their demand would give them get `exploration_share`. `fair_*_share` go to every geo.
         */
        PlanLimits: {
            /**
             * Allow Extrapolation
             * @default false
             */
            allow_extrapolation: boolean;
            /**
             * Exploration Share
             * @default 0
             */
            exploration_share: number;
            /**
             * Fair Budget Share
             * @default 0
             */
            fair_budget_share: number;
            /**
             * Fair Outcome Share
             * @default 0
             */
            fair_outcome_share: number;
            /**
             * Groups
             * @default []
             */
            groups: components["schemas"]["GroupBudget"][];
            /**
             * Inventory
             * @default []
             */
            inventory: components["schemas"]["OutcomeCap"][];
            /** Marginal Floor */
            marginal_floor?: number | null;
            max_cell?: components["schemas"]["Money"] | null;
            /**
             * Max Change Rel
             * @default 0.15
             */
            max_change_rel: number;
            /**
             * Max Step Rel
             * @default 0.15
             */
            max_step_rel: number | null;
            /**
             * May Pause
             * @default false
             */
            may_pause: boolean;
            min_cell?: components["schemas"]["Money"] | null;
            /**
             * Platform Minimums
             * @default []
             */
            platform_minimums: components["schemas"]["ChannelMinimum"][];
            total?: components["schemas"]["Money"] | null;
            /**
             * Untouched
             * @default []
             */
            untouched: components["schemas"]["Scope"][];
        };
        /**
         * PlanLine
         * @description One geo × channel. Gain, outcome and return are over the whole plan period, in major currency units.
         *
         *     `outcome` is all that the budget causes, `carry_out` the part of it that comes after the period; `roas` is outcome
         *     per unit of budget, None without budget. `chance_gain` is None where nothing moves. Lines of one `rank` (1 is best)
         *     cannot be told apart by what their next unit of money brings. `periods` splits the line, empty where the plan has
         *     one period. A line with `under_test_until` is held by a geo test to the end of that day, cool-down and all.
         *     `current` is a mean of weeks; `last_week` is what the last stored week cost, None where it is not known.
         */
        PlanLine: {
            /**
             * Assumptions
             * @default []
             */
            assumptions: string[];
            carry_out?: components["schemas"]["Quantiles"] | null;
            /** Chance Gain */
            chance_gain: number | null;
            change: components["schemas"]["Money"];
            /** Change Rel */
            change_rel: number;
            /** Channel */
            channel: string;
            /**
             * Confidence
             * @default low
             * @enum {string}
             */
            confidence: "high" | "medium" | "low";
            /**
             * Confidence Score
             * @default 0
             */
            confidence_score: number;
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
            last_week?: components["schemas"]["Money"] | null;
            marginal_return: components["schemas"]["Quantiles"];
            outcome: components["schemas"]["Quantiles"];
            /**
             * Periods
             * @default []
             */
            periods: components["schemas"]["PeriodBudget"][];
            /**
             * Primary Driver
             * @default
             */
            primary_driver: string;
            /**
             * Rank
             * @default 0
             */
            rank: number;
            /** Reason */
            reason: string;
            recommended: components["schemas"]["Money"];
            /**
             * Risks
             * @default []
             */
            risks: string[];
            roas?: components["schemas"]["Quantiles"] | null;
            /**
             * Supporting Factors
             * @default []
             */
            supporting_factors: string[];
            /** Under Test Until */
            under_test_until?: string | null;
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
         * Recommendations
         * @description The recommended scenarios of a plan; `reasons` says why there are not more.
         */
        Recommendations: {
            /** Plan Id */
            plan_id: string;
            /** Reasons */
            reasons: string[];
            /** Scenarios */
            scenarios: components["schemas"]["RecommendedScenario"][];
        };
        /**
         * RecommendedScenario
         * @description A scenario that the allocator found, under a name that says what it is for.
         */
        RecommendedScenario: {
            /** Description */
            description: string;
            /** Name */
            name: string;
            result: components["schemas"]["ScenarioResult"];
        };
        /**
         * Record
         * @description All scores of one source. `overall` and every `by_` but the tiers are of single series, not of their totals.
         */
        Record: {
            before: components["schemas"]["Score"] | null;
            /** Before By Lead Group */
            before_by_lead_group: components["schemas"]["Score"][];
            /** By Category */
            by_category: components["schemas"]["Score"][];
            /** By Geo Tier */
            by_geo_tier: components["schemas"]["Score"][];
            /** By Lead */
            by_lead: components["schemas"]["Score"][];
            /** By Lead Group */
            by_lead_group: components["schemas"]["Score"][];
            /** By Tier */
            by_tier: components["schemas"]["Score"][];
            /** Crossed */
            crossed: components["schemas"]["Score"][];
            /** N Origins */
            n_origins: number;
            overall: components["schemas"]["Score"];
            /** Pit */
            pit: components["schemas"]["PitBin"][];
            /** Reliability */
            reliability: components["schemas"]["Reliability"][];
            /**
             * Source
             * @enum {string}
             */
            source: "backtest" | "ledger";
            window: components["schemas"]["Period"];
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
         * Reliability
         * @description The share of actuals at or below one quantile, with its 95 % interval, and before recalibration.
         */
        Reliability: {
            /** High */
            high: number;
            /** Level */
            level: number;
            /** Low */
            low: number;
            /** Share */
            share: number;
            /** Share Before */
            share_before: number | null;
        };
        /**
         * Restatement
         * @description What became of the ledger's actuals after they were first known: both values are kept and scored.
         */
        Restatement: {
            /** N */
            n: number;
            /** Restated */
            restated: number;
            /** Wape First */
            wape_first: number | null;
            /** Wape Latest */
            wape_latest: number | null;
        };
        /**
         * Rules
         * @description What a verdict and the report go by (calibration.md, "The verdict" and "When to act").
         */
        Rules: {
            /**
             * Act Above
             * @default 0.92
             */
            act_above: number;
            /**
             * Act Below
             * @default 0.75
             */
            act_below: number;
            /**
             * Act Bias
             * @default 0.05
             */
            act_bias: number;
            /**
             * Confidence
             * @default 0.95
             */
            confidence: number;
            /**
             * Interval
             * @default 0.8
             */
            interval: number;
            /**
             * Margin
             * @default 0.1
             */
            margin: number;
            /**
             * Min Blocks
             * @default 8
             */
            min_blocks: number;
            /**
             * Tolerance
             * @default 0.02
             */
            tolerance: number;
        };
        /**
         * SavedScenario
         * @description One version of a kept scenario with what it came to. Instants are UTC ending in Z.
         */
        SavedScenario: {
            /** Created At */
            created_at: string;
            /** Created By */
            created_by: string;
            /** Description */
            description: string;
            /** Name */
            name: string;
            result: components["schemas"]["ScenarioResult"];
            /** Scenario Id */
            scenario_id: string;
            /** Tags */
            tags: string[];
            /** Tenant Id */
            tenant_id: string;
            /** Updated At */
            updated_at: string;
            /** Version */
            version: number;
        };
        /**
         * Scenario
         * @description What is changed against a plan; what is left out stays as planned.
         *
         *     `total` is over the plan period. Channel multipliers (0 to 3) scale budgets; a geo tilt scales places against each
         *     other and leaves the total. With an `aim` or a `roas_floor` the allocator chooses the budgets anew within the plan's
         *     limits, and what the multipliers set is held. Weather "warm" and "wet" is the past period at this time of the year
         *     that was warmer, or wetter, than nine in ten; "replay" the one that began on `replay_start`.
         */
        Scenario: {
            aim?: components["schemas"]["PlanAim"] | null;
            /** Channel Multipliers */
            channel_multipliers?: {
                [key: string]: number;
            };
            /** Geo Tilt */
            geo_tilt?: {
                [key: string]: number;
            };
            /**
             * Promotion
             * @default as_planned
             * @enum {string}
             */
            promotion: "as_planned" | "on" | "off";
            /** Replay Start */
            replay_start?: string | null;
            /** Roas Floor */
            roas_floor?: number | null;
            total?: components["schemas"]["Money"] | null;
            /**
             * Weather
             * @default forecast
             * @enum {string}
             */
            weather: "forecast" | "normal" | "warm" | "wet" | "replay";
        };
        /**
         * ScenarioCell
         * @description One geo × channel's budget over the period; `extrapolates` where it is above any weekly spend ever seen.
         */
        ScenarioCell: {
            budget: components["schemas"]["Money"];
            /** Channel */
            channel: string;
            /** Extrapolates */
            extrapolates: boolean;
            /** Geo */
            geo: string;
            planned: components["schemas"]["Money"];
        };
        /**
         * ScenarioChange
         * @description What changes in a kept scenario; what is left out stays. Levers are run again, on the newest plan.
         */
        ScenarioChange: {
            /** By */
            by: string;
            /** Description */
            description?: string | null;
            /** Name */
            name?: string | null;
            scenario?: components["schemas"]["Scenario"] | null;
            /** Tags */
            tags?: string[] | null;
        };
        /**
         * ScenarioPart
         * @description One channel or geo: its budgets over the period, what they cause, and that less the plan's, draw by draw.
         */
        ScenarioPart: {
            budget: components["schemas"]["Money"];
            /** Name */
            name: string;
            outcome: components["schemas"]["Quantiles"];
            outcome_diff: components["schemas"]["Quantiles"];
            planned: components["schemas"]["Money"];
            roas: components["schemas"]["Quantiles"] | null;
        };
        /**
         * ScenarioResult
         * @description What a scenario comes to. `_diff` is the scenario less the plan, in paired draws.
         *
         *     Outcome is all that the budgets cause, within the period and after it. `breaches` are the plan's limits that it
         *     breaks, `unanswered` the levers that the model cannot answer, which then changed nothing. `chance_more` is None
         *     where the outcome is the plan's own; `profit_diff` is there where a margin is known. `certificate` belongs to an
         *     optimised scenario. `demand_diff` is what its weather and promotions do to demand whatever is spent; None where they
         *     are as planned, or their effect is not measured.
         */
        ScenarioResult: {
            /** Breaches */
            breaches: string[];
            /** By Channel */
            by_channel: components["schemas"]["ScenarioPart"][];
            /** By Geo */
            by_geo: components["schemas"]["ScenarioPart"][];
            /** Cells */
            cells: components["schemas"]["ScenarioCell"][];
            certificate: components["schemas"]["Certificate"] | null;
            /** Chance More */
            chance_more: number | null;
            /** Currency */
            currency: string;
            demand_diff?: components["schemas"]["Quantiles"] | null;
            /** Model Id */
            model_id: string;
            /** Notes */
            notes: string[];
            outcome: components["schemas"]["Quantiles"];
            outcome_diff: components["schemas"]["Quantiles"];
            /** Outcome Is Money */
            outcome_is_money: boolean;
            /** Plan Id */
            plan_id: string;
            /** Plan Sha256 */
            plan_sha256: string;
            profit_diff?: components["schemas"]["Quantiles"] | null;
            roas: components["schemas"]["Quantiles"] | null;
            roas_diff: components["schemas"]["Quantiles"] | null;
            scenario: components["schemas"]["Scenario"];
            spend: components["schemas"]["Money"];
            spend_diff: components["schemas"]["Money"];
            /** Unanswered */
            unanswered: string[];
        };
        /**
         * Scope
         * @description Some cells: those of one geo, of one channel, of both at once, or (None, None) all.
         */
        Scope: {
            /** Channel */
            channel?: string | null;
            /** Geo */
            geo?: string | null;
        };
        /**
         * Score
         * @description Every score of one group of cells, in outcome units or shares; None where it cannot be said.
         *
         *     `bias` is actual less p50, `width` the mean width of the 80 % interval and `sharpness` that over the mean p50.
         *     `skill` is by how much the error is below the floor's, as a share of it, with its 95 % interval.
         */
        Score: {
            /** Bias */
            bias: number;
            /** Bias Rel */
            bias_rel: number | null;
            /** Coverage */
            coverage: components["schemas"]["Coverage"][];
            /** Group */
            group: string;
            /** Mae */
            mae: number;
            /** Mase */
            mase: number | null;
            /** N */
            n: number;
            /** N Blocks */
            n_blocks: number;
            /** Pinball */
            pinball: number[];
            /** Rmse */
            rmse: number;
            /** Sharpness */
            sharpness: number | null;
            /** Skill */
            skill: number | null;
            /** Skill High */
            skill_high: number | null;
            /** Skill Low */
            skill_low: number | null;
            /** Wape */
            wape: number | null;
            /** Wape Floor */
            wape_floor: number | null;
            /** Width */
            width: number;
            /** Wis */
            wis: number;
        };
        /**
         * SettingsVersion
         * @description The settings as they stood from `updated_at` on. Version 0, with no time and no person, is the default.
         */
        SettingsVersion: {
            settings: components["schemas"]["AutomationSettings"];
            /** Tenant Id */
            tenant_id: string;
            /** Updated At */
            updated_at: string | null;
            /** Updated By */
            updated_by: string | null;
            /** Version */
            version: number;
        };
        /**
         * ShownScenario
         * @description A kept scenario as it is shown: `baseline_changed` says so where the newest plan is not the one it is about.
         */
        ShownScenario: {
            /** Baseline Changed */
            baseline_changed: string | null;
            saved: components["schemas"]["SavedScenario"];
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
         * ValueOfWeather
         * @description Error of the same past forecasts with and without weather, and their difference with a 90 % interval.
         *
         *     `saved_rel` is WAPE without minus WAPE with. `money` is what that takes off the error of one forecast of the whole
         *     horizon, all series together, in the outcome's major units, between `money_low` and `money_high`. Where `helps` is
         *     False the forecast is made without weather. None where there is no record to tell from.
         */
        ValueOfWeather: {
            /**
             * As If
             * @default false
             */
            as_if: boolean;
            /** Helps */
            helps: boolean;
            /** Money */
            money: number | null;
            /** Money High */
            money_high?: number | null;
            /** Money Low */
            money_low?: number | null;
            /** Saved High */
            saved_high: number;
            /** Saved Low */
            saved_low: number;
            /** Saved Rel */
            saved_rel: number;
            /** Sentence */
            sentence: string;
            /** Wape With */
            wape_with: number | null;
            /** Wape Without */
            wape_without: number | null;
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
        /**
         * WeatherValue
         * @description The error with and without weather features on the same origins; the difference is what weather takes off it.
         *
         *     `low` and `high` end its 90 % interval. `money`, from `money_low` to `money_high`, is what the difference takes off
         *     the error of one forecast of the whole horizon, all series together; None in records from before it was kept.
         */
        WeatherValue: {
            /**
             * As If
             * @default false
             */
            as_if: boolean;
            /** Difference */
            difference: number;
            /** High */
            high: number;
            /** Low */
            low: number;
            money?: components["schemas"]["Money"] | null;
            money_high?: components["schemas"]["Money"] | null;
            money_low?: components["schemas"]["Money"] | null;
            /** Sentence */
            sentence: string;
            /** Used */
            used: boolean;
            /** Wape With */
            wape_with: number;
            /** Wape Without */
            wape_without: number;
        };
        /**
         * WeatherWorth
         * @description What knowing the weather is worth in the plan period: the outcome of the best budgets for the outlook, less that
         *     of the best for normal weather, both under the outlook; in major units.
         */
        WeatherWorth: {
            gain: components["schemas"]["Quantiles"];
            moved: components["schemas"]["Money"];
            /** Sentence */
            sentence: string;
        };
        /**
         * WidthShare
         * @description What the range of the total at one lead is made of; shares of the variance of its log, adding up to one.
         */
        WidthShare: {
            /** Lead */
            lead: number;
            /** Media Share */
            media_share: number;
            /** Model Share */
            model_share: number;
            /** Weather Share */
            weather_share: number;
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
    getCalibration: {
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
                    "application/json": components["schemas"]["CalibrationRun"];
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
    listCalibrations: {
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
                    "application/json": components["schemas"]["HistoryLine"][];
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
    compareScenarios: {
        parameters: {
            query: {
                id: string[];
            };
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
                    "application/json": components["schemas"]["ShownScenario"][];
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
            /** @description Conflict */
            409: {
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
    recommendScenarios: {
        parameters: {
            query?: {
                margin?: number | null;
            };
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
                    "application/json": components["schemas"]["Recommendations"];
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
            /** @description Conflict */
            409: {
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
    runScenario: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Scenario"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScenarioResult"];
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
            /** @description Conflict */
            409: {
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
    listScenarios: {
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
                    "application/json": components["schemas"]["ShownScenario"][];
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
            /** @description Conflict */
            409: {
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
    saveScenario: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewScenario"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedScenario"];
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
            /** @description Conflict */
            409: {
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
    getScenario: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                scenario_id: string;
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
                    "application/json": components["schemas"]["ShownScenario"];
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
            /** @description Conflict */
            409: {
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
    deleteScenario: {
        parameters: {
            query: {
                by: string;
            };
            header?: never;
            path: {
                scenario_id: string;
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
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
            /** @description Conflict */
            409: {
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
    changeScenario: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                scenario_id: string;
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScenarioChange"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedScenario"];
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
            /** @description Conflict */
            409: {
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
    getAutomation: {
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
                    "application/json": components["schemas"]["SettingsVersion"];
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
    setAutomation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AutomationChoice"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SettingsVersion"];
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
