import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Enumeration;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.tika.Tika;
import org.apache.tika.extractor.EmbeddedDocumentExtractor;
import org.apache.tika.extractor.ParsingEmbeddedDocumentExtractor;
import org.apache.tika.metadata.Metadata;
import org.apache.tika.parser.AutoDetectParser;
import org.apache.tika.parser.ParseContext;
import org.apache.tika.parser.Parser;
import org.apache.tika.sax.BodyContentHandler;
import org.xml.sax.ContentHandler;
import org.xml.sax.SAXException;

/** Reads documents out of an archive with Apache Tika: a line of JSON for each of the kinds that are named, with its text. */
public class Read {
    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        try (ZipFile jar = new ZipFile(args[0])) {
            for (Enumeration<? extends ZipEntry> all = jar.entries(); all.hasMoreElements();) {
                ZipEntry e = all.nextElement();
                String name = e.getName();
                String kind = name.substring(name.lastIndexOf('.') + 1).toLowerCase();
                if (e.isDirectory() || !name.startsWith("test-documents/") || !("," + args[1] + ",").contains("," + kind + ",")) {
                    continue;
                }
                String text = null;
                String error = null;
                try {
                    AutoDetectParser parser = new AutoDetectParser();
                    ParseContext context = new ParseContext();
                    context.set(Parser.class, parser);
                    context.set(EmbeddedDocumentExtractor.class, new Embedded(context));
                    BodyContentHandler body = new BodyContentHandler(-1);
                    parser.parse(new ByteArrayInputStream(jar.getInputStream(e).readAllBytes()), body, new Metadata(), context);
                    text = body.toString();
                } catch (Throwable t) {
                    error = t.getClass().getSimpleName();
                }
                out.println("{\"name\":" + quoted(name) + (error == null ? ",\"text\":" + quoted(text) : ",\"error\":" + quoted(error)) + "}");
            }
        }
        out.flush();
    }

    /** Reads what is embedded, without its name, and leaves out what is not of the kinds that are compared. */
    static final class Embedded extends ParsingEmbeddedDocumentExtractor {
        Embedded(ParseContext context) {
            super(context);
        }

        @Override
        public void parseEmbedded(InputStream in, ContentHandler handler, Metadata metadata, boolean html)
            throws SAXException, IOException {
            InputStream again = in.markSupported() ? in : new BufferedInputStream(in);
            String kind = new Tika().detect(again);
            if (!kind.endsWith("/pdf") && !kind.matches("(image|audio|video|font)/.*")) {
                super.parseEmbedded(again, handler, metadata, false);
            }
        }
    }

    static String quoted(String s) {
        StringBuilder b = new StringBuilder("\"");
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c < ' ' || c == '"' || c == '\\' || Character.isSurrogate(c) || c == '\u2028') {
                b.append(String.format("\\u%04x", (int) c));
            } else {
                b.append(c);
            }
        }
        return b.append('"').toString();
    }
}
