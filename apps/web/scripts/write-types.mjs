// Writes src/api/schema.gen.ts from the repository's openapi.json, with that file's sha256 on top.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const source = new URL("../../../openapi.json", import.meta.url);
const target = new URL("../src/api/schema.gen.ts", import.meta.url);

const text = await readFile(source);
const sha256 = createHash("sha256").update(text).digest("hex");
const types = astToString(await openapiTS(JSON.parse(text.toString("utf8")), { alphabetize: true }));
await writeFile(target, `// Types of the service, made by \`npm run types\`. sha256 of openapi.json: ${sha256}\n${types}`);
