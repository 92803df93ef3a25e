// `npm start`: builds Headroom and opens it.
import { launch, options } from "./launch.mjs";
import { hasDisplay } from "./run.mjs";
import { setup } from "./setup.mjs";

const chosen = options();
await setup({ window: hasDisplay });
process.exitCode = await launch(chosen);
