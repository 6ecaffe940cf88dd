// Lint: strict types, rules of hooks, kebab-case files, and imports that only go down: pages, panels, components, design.
import path from "node:path";
import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const kebabCase = {
  meta: { type: "suggestion", schema: [], messages: { name: "Name this file in kebab-case, like `place-map.tsx`." } },
  create: (context) => ({
    Program(node) {
      const name = path.basename(context.filename);
      if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)+$/.test(name)) context.report({ node, messageId: "name" });
    },
  }),
};

const ban = (regex, message, allowTypeImports = false) => ({ regex, message, allowTypeImports });
const SERVER = ban("/api/(?!contracts)", "Only pages fetch; take data as props, and its types from api/contracts.");
const FETCHING = ban("^(@tanstack/react-query|openapi-fetch)$", "Only api/ and pages/ know the server; take data as props.");
const EXAMPLES = ban("/fixtures/", "Examples are for stories and tests.");
const PAGES = ban("/pages/", "Imports go down: pages, panels, components, design.");
const PANELS = ban("/panels/", "Imports go down: pages, panels, components, design.");
const COMPONENTS = ban("/components/", "Imports go down: pages, panels, components, design.");
const OTHER_PANELS = ban("^\\.\\./(?!\\.\\./)", "A panel does not know other panels; lift it into components/.");

const zone = (files, ...bans) => ({
  files: [files],
  ignores: ["**/*.test.{ts,tsx}", "**/*.stories.tsx"],
  rules: { "@typescript-eslint/no-restricted-imports": ["error", { patterns: [EXAMPLES, ...bans] }] },
});

export default tseslint.config(
  { ignores: ["dist", "storybook-static", "node_modules", "src/api/schema.gen.ts"] },
  js.configs.recommended,
  tseslint.configs.strict,
  hooks.configs.flat["recommended-latest"],
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    plugins: { house: { rules: { "kebab-case": kebabCase } } },
    rules: { "house/kebab-case": "error", eqeqeq: "error", "no-console": "error" },
  },
  { files: ["scripts/**"], languageOptions: { globals: { URL: "readonly" } } },
  { files: ["public/**"], languageOptions: { globals: { document: "readonly", localStorage: "readonly", matchMedia: "readonly" } } },
  { files: ["src/**"], rules: { "no-restricted-globals": ["error", { name: "fetch", message: "Use api/client.ts." }] } },
  zone("src/pages/**"),
  zone("src/panels/**", PAGES, OTHER_PANELS, SERVER, FETCHING),
  zone("src/components/**", PAGES, PANELS, SERVER, FETCHING),
  zone("src/design/**", PAGES, PANELS, COMPONENTS, SERVER, FETCHING),
  zone("src/api/**", PAGES, PANELS, COMPONENTS),
);
