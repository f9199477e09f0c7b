import java.io.ByteArrayInputStream;
import java.util.zip.ZipFile;
import org.apache.poi.ooxml.POIXMLDocument;
import org.apache.poi.openxml4j.opc.OPCPackage;
import org.apache.poi.openxml4j.opc.PackageRelationship;
import org.apache.poi.xslf.usermodel.XMLSlideShow;
import org.apache.poi.xssf.usermodel.XSSFWorkbook;
import org.apache.poi.xwpf.usermodel.XWPFDocument;

/** Opens the Office files of an archive, and of those as they were: name, whether it opened before and after, the label's name. */
public class Labels {
    static final String TYPE = "http://schemas.microsoft.com/office/2020/02/relationships/classificationlabels";

    static POIXMLDocument open(String kind, byte[] b) throws Exception {
        OPCPackage p = OPCPackage.open(new ByteArrayInputStream(b));
        switch (kind) {
            case "docx": case "docm": case "dotx": case "dotm": return new XWPFDocument(p);
            case "xlsx": case "xlsm": case "xltx": case "xltm": return new XSSFWorkbook(p);
            default: return new XMLSlideShow(p);
        }
    }

    public static void main(String[] args) throws Exception {
        try (ZipFile before = new ZipFile(args[0]); ZipFile after = new ZipFile(args[1])) {
            for (var e : (Iterable<java.util.zip.ZipEntry>) after.stream().map(x -> (java.util.zip.ZipEntry) x)::iterator) {
                String kind = e.getName().substring(e.getName().lastIndexOf('.') + 1).toLowerCase();
                if (!kind.matches("do[ct][xm]|xl[ts][xm]|p[op][ts][xm]")) continue;
                boolean was = true;
                try (POIXMLDocument d = open(kind, before.getInputStream(before.getEntry(e.getName())).readAllBytes())) {
                } catch (Throwable t) {
                    was = false;
                }
                String is = "", name = "", part = "";
                try (POIXMLDocument d = open(kind, after.getInputStream(e).readAllBytes())) {
                    is = "opened";
                    var c = d.getProperties().getCustomProperties().getProperty("MSIP_Label_" + args[2] + "_Name");
                    name = c == null ? "" : c.getLpwstr();
                    PackageRelationship r = d.getPackage().getRelationshipsByType(TYPE).getRelationship(0);
                    part = d.getPackage().getPart(r).getContentType();
                } catch (Throwable t) {
                    is = is + t.getClass().getSimpleName();
                }
                System.out.println(String.join("\t", "document", e.getName(), was ? "opened" : "failed", is, name, part));
            }
        }
    }
}
