import { render } from "solid-js/web";
import { App } from "./app/App";
import { openPreferences } from "./app/preferences";
import { findHost } from "./platform";
import "uplot/dist/uPlot.min.css";
import "./styles/index.css";

const root = document.getElementById("root") as HTMLElement;
const host = await findHost();
const preferences = await openPreferences(host);
render(() => <App host={host} preferences={preferences} />, root);
