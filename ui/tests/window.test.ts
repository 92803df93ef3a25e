import { afterAll, beforeAll, describe } from "vitest";
import { openStage, type Stage } from "./stage";
import { accessSuite } from "./suites/access";
import { cacheSuite } from "./suites/cache";
import { chartSuite } from "./suites/chart";
import { connectionsSuite } from "./suites/connections";
import { gatewaySuite } from "./suites/gateway";
import { keyboardSuite } from "./suites/keyboard";
import { layoutSuite } from "./suites/layout";
import { pagesSuite } from "./suites/pages";
import { statesSuite } from "./suites/states";
import { stillSuite } from "./suites/still";

/** One build and one browser for all of them. */
let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const open: Stage["open"] = (address, options) => stage.open(address, options);

describe.concurrent("layout", () => layoutSuite(open));
describe.concurrent("keyboard and mouse", () => keyboardSuite(open));
describe.concurrent("states", () => statesSuite(open));
describe.concurrent("chart", () => chartSuite(open));
describe.concurrent("look up and settings", () => pagesSuite(open));
describe.concurrent("connections", () => connectionsSuite(open));
describe.concurrent("cache", () => cacheSuite(open));
describe.concurrent("gateway", () => gatewaySuite(open));
describe.concurrent("access", () => accessSuite(open));
// Alone, because it measures time.
describe("stillness", () => stillSuite(open));
