// What two clients in JavaScript get from the engine at process.argv[2]: one line of JSON.
import OpenAI, { toFile } from "openai";
import { generateImage } from "ai";
import { createOpenAI } from "@ai-sdk/openai";

const baseURL = process.argv[2] + "/v1";
const apiKey = "sk-any";
const png = Buffer.from(process.argv[3], "base64");
const node = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const sdk = createOpenAI({ baseURL, apiKey });
const tries = {
  "openai-node generate": async () =>
    (await node.images.generate({ model: "qwen-image-2.0", prompt: "a cat", n: 2 })).data.length === 2,
  "openai-node edit": async () => {
    const image = await toFile(png, "cat.png", { type: "image/png" });
    return (await node.images.edit({ model: "gpt-image-1", image, prompt: "a hat" })).data.length === 1;
  },
  "AI SDK generate": async () => {
    const model = sdk.image("qwen-image-2.0");
    const { images } = await generateImage({ model, prompt: "a cat", n: 2 });
    return images.length === 2 && images[0].base64 !== images[1].base64;
  },
  "AI SDK edit": async () => {
    const prompt = { text: "a hat", images: [png] };
    return (await generateImage({ model: sdk.image("gpt-image-1"), prompt })).images.length === 1;
  },
};
const results = {};
for (const [name, attempt] of Object.entries(tries)) {
  results[name] = await attempt().catch((error) => String(error));
}
console.log(JSON.stringify(results));
