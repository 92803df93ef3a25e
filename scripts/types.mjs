// `npm run types`: writes `ui/src/contract/contract.ts` anew from the engine's contract.
import { must } from "./run.mjs";

// The same test that fails when the file is stale writes it when told to.
const test = "contract::tests::the_committed_types_are_current";
await must("cargo", ["test", "--package", "headroom-engine", "--lib", "--quiet", "--", test], {
  env: { ...process.env, HEADROOM_WRITE_TYPES: "1" },
});
